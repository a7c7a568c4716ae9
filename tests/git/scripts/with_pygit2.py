"""libgit2: clone, fetch, push, force, delete, tags. Arguments: URL, user, token, folder."""

import pathlib
import sys

import pygit2

url, user, token, folder = sys.argv[1:]


def callbacks():
    return pygit2.RemoteCallbacks(credentials=pygit2.UserPass(user, token))


def refused(work):
    try:
        work()
    except pygit2.GitError as error:
        return str(error)
    raise SystemExit("it was not refused")


def commit(repository, name, text, parents):
    (pathlib.Path(repository.workdir) / name).write_text(text)
    repository.index.add(name)
    repository.index.write()
    author = pygit2.Signature("Lib", "lib@forge.example", 1700000000, 60)
    return repository.create_commit("HEAD", author, author, f"change {name}\n", repository.index.write_tree(), parents)


repository = pygit2.clone_repository(url, folder, callbacks=callbacks())
before = repository.head.target
tip = commit(repository, "lib.txt", "one\n", [before])
repository.create_tag("lib-1", tip, pygit2.enums.ObjectType.COMMIT,
                      pygit2.Signature("Lib", "lib@forge.example", 1700000000, 60), "one\n")
origin = repository.remotes["origin"]
origin.push(["refs/heads/main", "refs/tags/lib-1", "refs/heads/main:refs/heads/lib/side"], callbacks=callbacks())

# A push that is not a fast-forward is refused without force, and goes with it.
repository.reset(before, pygit2.enums.ResetMode.HARD)
other = commit(repository, "lib.txt", "two\n", [before])
refused(lambda: origin.push(["refs/heads/main:refs/heads/lib/side"], callbacks=callbacks()))
origin.push(["+refs/heads/main:refs/heads/lib/side"], callbacks=callbacks())
origin.push([":refs/tags/lib-1"], callbacks=callbacks())

again = pygit2.clone_repository(url, folder + "-again", bare=True, callbacks=callbacks())
names = set(again.references)
assert "refs/tags/lib-1" not in names, names
assert again.references["refs/remotes/origin/lib/side"].target == other, names
assert again.references["refs/heads/main"].target == tip, names
again.remotes["origin"].fetch(["+refs/*:refs/all/*"], callbacks=callbacks())
assert again.references["refs/all/heads/main"].target == tip

wrong = pygit2.RemoteCallbacks(credentials=pygit2.UserPass(user, token[:-1] + "x"))
refused(lambda: again.remotes["origin"].fetch(callbacks=wrong))
shallow = pygit2.clone_repository(url, folder + "-shallow", bare=True, depth=1, callbacks=callbacks())
assert shallow.is_shallow and len(list(shallow.walk(shallow.head.target))) == 1
