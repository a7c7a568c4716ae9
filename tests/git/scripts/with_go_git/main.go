// Command with-go-git clones, pushes, forces, deletes, fetches and cuts history with go-git.
// Arguments: the address of the repository, a user, a password, a folder.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/transport/http"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func check(holds bool, words ...interface{}) {
	if !holds {
		panic(fmt.Sprint(words...))
	}
}

// listed returns what the server shows.
func listed(repository *git.Repository, auth *http.BasicAuth) map[string]plumbing.Hash {
	remote, err := repository.Remote("origin")
	must(err)
	shown, err := remote.List(&git.ListOptions{Auth: auth})
	must(err)
	found := map[string]plumbing.Hash{}
	for _, reference := range shown {
		found[reference.Name().String()] = reference.Hash()
	}
	return found
}

func main() {
	url, folder := os.Args[1], os.Args[4]
	auth := &http.BasicAuth{Username: os.Args[2], Password: os.Args[3]}
	repository, err := git.PlainClone(folder, false, &git.CloneOptions{URL: url, Auth: auth})
	must(err)
	tree, err := repository.Worktree()
	must(err)
	must(os.WriteFile(filepath.Join(folder, "gogit.txt"), []byte("one\n"), 0o644))
	_, err = tree.Add("gogit.txt")
	must(err)
	author := &object.Signature{Name: "G", Email: "g@forge.example", When: time.Unix(1700000000, 0)}
	before, err := repository.Head()
	must(err)
	tip, err := tree.Commit("by go-git", &git.CommitOptions{Author: author})
	must(err)
	push := func(force bool, specifications ...config.RefSpec) {
		must(repository.Push(&git.PushOptions{Auth: auth, Force: force, RefSpecs: specifications}))
	}
	push(false, "refs/heads/main:refs/heads/main", "refs/heads/main:refs/heads/by-go")
	shown := listed(repository, auth)
	check(shown["refs/heads/main"] == tip && shown["refs/heads/by-go"] == tip, shown)

	// It forces, and deletes.
	must(repository.Storer.SetReference(plumbing.NewHashReference("refs/heads/back", before.Hash())))
	push(true, "+refs/heads/back:refs/heads/by-go")
	check(listed(repository, auth)["refs/heads/by-go"] == before.Hash(), "not forced")
	push(false, ":refs/heads/by-go")
	_, isThere := listed(repository, auth)["refs/heads/by-go"]
	check(!isThere, "not deleted")

	// It fetches what it does not have, and cuts history.
	older, err := git.PlainClone(folder+"-older", true, &git.CloneOptions{
		URL: url, Auth: auth, ReferenceName: "refs/heads/older", SingleBranch: true, Tags: git.NoTags,
	})
	must(err)
	must(older.Fetch(&git.FetchOptions{Auth: auth, RefSpecs: []config.RefSpec{"+refs/heads/*:refs/remotes/origin/*"}}))
	fetched, err := older.Reference("refs/remotes/origin/main", true)
	must(err)
	check(fetched.Hash() == tip, fetched)
	shallow, err := git.PlainClone(folder+"-shallow", true, &git.CloneOptions{
		URL: url, Auth: auth, Depth: 1, ReferenceName: "refs/heads/main", SingleBranch: true, Tags: git.NoTags,
	})
	must(err)
	cut, err := shallow.Storer.Shallow()
	must(err)
	check(len(cut) == 1 && cut[0] == tip, cut)
}
