// isomorphic-git: clone, push, fetch, delete, shallow. Arguments: URL, token, folder.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import git from 'isomorphic-git';
import http from 'isomorphic-git/http/node';

const [url, token, dir] = process.argv.slice(2);
const onAuth = () => ({ username: 'x', password: token });
const common = { fs, http, dir, url, onAuth };

await git.clone({ ...common, ref: 'main' });
fs.writeFileSync(path.join(dir, 'iso.txt'), 'one\n');
await git.add({ fs, dir, filepath: 'iso.txt' });
const author = { name: 'Iso', email: 'iso@forge.example', timestamp: 1700000000, timezoneOffset: -60 };
const tip = await git.commit({ fs, dir, message: 'change iso.txt', author });
const pushed = await git.push({ ...common, ref: 'main' });
assert.ok(pushed.ok, JSON.stringify(pushed));
await git.push({ ...common, ref: 'main', remoteRef: 'refs/heads/iso' });
const of = async (prefix) => git.listServerRefs({ http, url, onAuth, prefix, protocolVersion: 2 });
assert.equal((await of('refs/heads/iso'))[0].oid, tip);
await git.push({ ...common, remoteRef: 'refs/heads/iso', ref: 'main', delete: true });
assert.deepEqual(await of('refs/heads/iso'), []);

const again = `${dir}-again`;
await git.clone({ ...common, dir: again, ref: 'main', singleBranch: true, depth: 1 });
assert.equal(await git.resolveRef({ fs, dir: again, ref: 'HEAD' }), tip);
assert.equal((await git.log({ fs, dir: again })).length, 1);
const wrong = () => ({ username: 'x', password: `${token.slice(0, -1)}x` });
await assert.rejects(git.fetch({ ...common, onAuth: wrong, onAuthFailure: () => ({ cancel: true }) }));
