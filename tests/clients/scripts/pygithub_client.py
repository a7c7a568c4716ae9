"""What a program does with PyGithub. Arguments: the login, its token, and a repository of its own to be created."""

import os
import sys

import github
from github import Auth, Github, GithubException, UnknownObjectException

login, token, name = sys.argv[1:]


def client(token: str, **options: object) -> Github:
    base = f"https://{os.environ['GH_HOST']}/api/v3"
    pace = {"seconds_between_requests": 0, "seconds_between_writes": 0}
    return Github(base_url=base, auth=Auth.Token(token), retry=None, **pace, **options)


def refused(kind: type, status: int, action: object) -> GithubException:
    try:
        answer = action()
    except kind as error:
        assert error.status == status, error
        return error
    raise AssertionError(f"it is answered {answer}")


forge = client(token, per_page=4)
user = forge.get_user()
assert user.login == login, user.login
altered = token[:-1] + ("y" if token.endswith("x") else "x")
refused(github.BadCredentialsException, 401, lambda: client(altered).get_user().login)

limits = forge.get_rate_limit().resources.core
assert 0 < limits.remaining <= limits.limit, limits
assert forge.rate_limiting[0] > 0

created = user.create_repo(name, private=True, auto_init=True, description="by PyGithub")
assert (created.full_name, created.private) == (f"{login}/{name}", True)
found = forge.get_repo(f"{login}/{name}")
assert (found.id, found.description, found.default_branch) == (created.id, "by PyGithub", "main")
assert found.permissions.admin
found.edit(description="changed", has_wiki=False)
assert (found.description, found.has_wiki) == ("changed", False)
refused(GithubException, 422, lambda: user.create_repo(name))

labels = found.get_labels()
assert (labels.totalCount, len(list(labels))) == (9, 9), labels.totalCount
assert [label.name for label in labels.get_page(2)] == [label.name for label in labels][8:]
label = found.create_label("needs care", "ff8800", "slowly")
assert refused(GithubException, 422, lambda: found.create_label("needs care", "ff8800")).data["errors"][0]["code"] == "already_exists"
label.edit("done/well", "00ff00")
assert found.get_label("done/well").color == "00ff00"
label.delete()
refused(UnknownObjectException, 404, lambda: found.get_label("done/well"))

readme = found.get_contents("README.md")
assert readme.decoded_content.decode().startswith(f"# {name}"), readme.decoded_content
assert [entry.path for entry in found.get_contents("")] == ["README.md"]
assert found.get_readme().sha == readme.sha
assert [branch.commit.sha for branch in found.get_branches()] == [found.get_git_ref("heads/main").object.sha]
assert found.get_branches().totalCount == 1
assert found.get_collaborators().totalCount == 1
assert (user.get_keys().totalCount, user.get_orgs().totalCount) == (0, 0)
key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpN{}OEWD9OJ3X"
for number in range(5):
    user.create_key(f"key {number}", key.format(number))
assert (user.get_keys().totalCount, len(list(user.get_keys()))) == (5, 5)
for kept in list(user.get_keys()):
    kept.delete()

for number in range(4):
    user.create_repo(f"{name}-{number}")
names = [repository.name for repository in user.get_repos(sort="created", direction="desc")]
assert names[:5] == [f"{name}-3", f"{name}-2", f"{name}-1", f"{name}-0", name], names
assert user.get_repos().totalCount == len(names)

absent = refused(UnknownObjectException, 404, lambda: forge.get_repo(f"{login}/absent"))
assert absent.data["message"] == "Not Found" and absent.data["documentation_url"].startswith("https://"), absent.data
refused(UnknownObjectException, 404, lambda: forge.get_user("nobody-here"))

created.delete()
refused(UnknownObjectException, 404, lambda: forge.get_repo(f"{login}/{name}"))
print("done")
