"""dulwich: clone, fetch, push, delete, shallow. Arguments: URL with user and token, folder."""

import io
import pathlib
import sys

from dulwich import porcelain
from dulwich.repo import Repo

url, folder = sys.argv[1:]
quiet = {"errstream": io.BytesIO()}
author = b"Dul <dul@forge.example>"

repository = porcelain.clone(url, folder, **quiet)
(pathlib.Path(folder) / "dul.txt").write_text("one\n")
porcelain.add(repository, [str(pathlib.Path(folder) / "dul.txt")])
tip = porcelain.commit(repository, message=b"change dul.txt\n", author=author, committer=author)
porcelain.push(repository, url, [b"refs/heads/main:refs/heads/main", b"refs/heads/main:refs/heads/dul"], **quiet)

listed = porcelain.ls_remote(url).refs
assert listed[b"refs/heads/main"] == tip, listed
assert listed[b"refs/heads/dul"] == tip, listed
porcelain.push(repository, url, [b":refs/heads/dul"], **quiet)
assert b"refs/heads/dul" not in porcelain.ls_remote(url).refs

again = porcelain.clone(url, folder + "-again", bare=True, **quiet)
assert again.refs[b"refs/heads/main"] == tip
again.close()
shallow = porcelain.clone(url, folder + "-shallow", bare=True, depth=1, **quiet)
assert tip in shallow.get_shallow(), shallow.get_shallow()
assert len(list(shallow.get_walker())) == 1
shallow.close()
repository.close()
Repo(folder).close()
