//! What the tests need beside Rust, installed for the project alone into `.test-tools/`.
//!
//! Python packages and npm packages are pinned with hashes in `tests/tools/`; Chromium and PostgreSQL are Debian's.
//! A tool that is missing and cannot be installed is an error that says what to install, never a skipped test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, command};

const CARGO_DENY: &str = "0.20.2";

/// Where distributions have theirs. A newer one may come before it on the search path: then both are tried.
const DISTRIBUTION_GIT: &str = "/usr/bin/git";

/// Where Debian's packages have the sources of Go libraries.
const GO_LIBRARIES: &str = "/usr/share/gocode";

/// Where Debian's packages have their Java archives.
const ARCHIVES: &str = "/usr/share/java";

/// Those of JGit's command line, in the package `jgit-cli` and those it depends on. Its own starter leaves some of them out.
const JGIT: [&str; 15] = [
    "org.eclipse.jgit",
    "org.eclipse.jgit.pgm",
    "org.eclipse.jgit.lfs",
    "org.eclipse.jgit.ui",
    "org.eclipse.jgit.archive",
    "org.eclipse.jgit.http.apache",
    "args4j",
    "commons-compress",
    "commons-logging",
    "httpclient",
    "httpcore",
    "javaewah",
    "jsch",
    "slf4j-api",
    "slf4j-nop",
];

/// Where the installed tools are, as variables for the tests.
#[derive(Default)]
pub(crate) struct Tools {
    /// Name and value of each variable.
    pub(crate) variables: Vec<(&'static str, PathBuf)>,
}

/// Which tools a run needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// GitHub's published descriptions, and the libraries and clients that registries of packages have.
    Descriptions,
    /// Also a browser, for the end-to-end tests.
    Clients,
}

/// Installs what is missing and returns where everything is.
pub(crate) fn install(root: &Path, need: Need) -> Result<Tools> {
    require("git", "git")?;
    let folder = folder(root);
    fs::create_dir_all(&folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let mut tools = Tools::default();
    tools.variables.push(("FORGE_TEST_NODE_MODULES", install_npm(root, &folder)?));
    let python = install_python(root, &folder)?;
    tools.variables.push(("FORGE_TEST_GH", python.join("gh")));
    tools.variables.push(("FORGE_TEST_PYTHON", python.join("python")));
    tools.variables.push(("FORGE_TEST_JGIT", find_jgit()?));
    tools.variables.push(("FORGE_TEST_GO_GIT", build_go_git(root, &folder)?));
    if !Path::new(DISTRIBUTION_GIT).is_file() {
        install_package("git", "the distribution's git, which is tried beside another")?;
    }
    if need == Need::Clients {
        tools.variables.push(("FORGE_TEST_CHROMIUM", find_chromium()?));
    }
    Ok(tools)
}

/// Installs everything and prints the variables as shell exports.
pub(crate) fn print_variables(root: &Path) -> Result<()> {
    for (name, value) in install(root, Need::Clients)?.variables {
        println!("export {name}='{}'", value.display());
    }
    Ok(())
}

/// Returns `cargo deny`, from the search path or built once into `.test-tools/`.
pub(crate) fn cargo_deny(root: &Path) -> Result<PathBuf> {
    if command::exists("cargo-deny") {
        return Ok("cargo-deny".into());
    }
    let home = folder(root).join("cargo");
    let program = home.join("bin/cargo-deny");
    if !program.is_file() {
        let mut install = command::cargo();
        install
            .args(["install", "cargo-deny", "--locked", "--debug", "--version", CARGO_DENY, "--root"])
            .arg(&home);
        // Built without optimization: it runs for three seconds, and an optimized build takes minutes.
        install.env("CARGO_TARGET_DIR", home.join("build")).env("CARGO_PROFILE_DEV_DEBUG", "0");
        command::run(&mut install)?;
        let _ = fs::remove_dir_all(home.join("build"));
    }
    Ok(program)
}

/// Installs a package of the distribution, when this process may.
pub(crate) fn install_package(package: &str, purpose: &str) -> Result<()> {
    if !command::is_root() || !command::exists("apt-get") {
        return Err(format!("{purpose} is missing: install it first, on Debian `apt-get install {package}`"));
    }
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        apt
    };
    command::run(apt().arg("update"))?;
    command::run(apt().args(["install", "--yes", "--no-install-recommends", package]))
}

fn folder(root: &Path) -> PathBuf {
    std::env::var_os("FORGE_TEST_TOOLS").map_or_else(|| root.join(".test-tools"), PathBuf::from)
}

fn install_npm(root: &Path, folder: &Path) -> Result<PathBuf> {
    let (sources, target) = (root.join("tests/tools"), folder.join("npm"));
    let modules = target.join("node_modules");
    let lock = read(&sources.join("package-lock.json"))?;
    let stamp = Stamp { file: target.join("installed"), wanted: lock };
    if stamp.is_current() {
        return Ok(modules);
    }
    require("node", "nodejs")?;
    require("npm", "npm")?;
    let _ = fs::remove_file(&stamp.file);
    fs::create_dir_all(&target).map_err(|error| error.to_string())?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(sources.join(name), target.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    let mut npm = Command::new("npm");
    npm.current_dir(&target).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    command::run(npm.arg("--omit-lockfile-registry-resolved"))?;
    remove_unused_descriptions(&modules.join("@octokit/openapi/generated"));
    stamp.write()?;
    Ok(modules)
}

/// The package carries twelve descriptions, most of half a gigabyte; the tests read one.
fn remove_unused_descriptions(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name() != "api.github.com.json" && entry.path().extension().is_some_and(|e| e == "json")
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn install_python(root: &Path, folder: &Path) -> Result<PathBuf> {
    let (requirements, target) = (root.join("tests/tools/requirements.txt"), folder.join("python"));
    let programs = target.join("bin");
    let stamp = Stamp { file: target.join("installed"), wanted: read(&requirements)? };
    if stamp.is_current() && programs.join("gh").is_file() {
        return Ok(programs);
    }
    require("python3", "python3")?;
    let mut environment = Command::new("python3");
    command::run(environment.args(["-m", "venv", "--clear"]).arg(&target))
        .map_err(|error| format!("{error}; on Debian install `python3-venv`"))?;
    let mut pip = Command::new(programs.join("pip"));
    pip.args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "--requirement",
    ]);
    command::run(pip.arg(&requirements))?;
    stamp.write()?;
    Ok(programs)
}

/// Returns the class path of JGit.
fn find_jgit() -> Result<PathBuf> {
    let archives = || JGIT.map(|name| Path::new(ARCHIVES).join(format!("{name}.jar")));
    if !archives().iter().all(|archive| archive.is_file()) || !command::exists("java") {
        install_package("jgit-cli", "JGit")?;
    }
    if let Some(missing) = archives().iter().find(|archive| !archive.is_file()) {
        return Err(format!("package `jgit-cli` is installed, but there is no {}", missing.display()));
    }
    let joined = std::env::join_paths(archives()).map_err(|error| error.to_string())?;
    Ok(joined.into())
}

/// Returns a program that uses go-git, built from the library's source in Debian's package: no module is downloaded.
fn build_go_git(root: &Path, folder: &Path) -> Result<PathBuf> {
    let library = Path::new(GO_LIBRARIES).join("src/github.com/go-git/go-git/go.mod");
    if !command::exists("go") {
        install_package("golang-go", "Go")?;
    }
    if !library.is_file() {
        install_package("golang-github-go-git-go-git-dev", "go-git")?;
    }
    let scripts = root.join("tests/git/scripts/with_go_git");
    let home = folder.join("go");
    let (source, program) = (home.join("src/forge.example/with-go-git"), home.join("with-go-git"));
    let read = |path: PathBuf| {
        fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    let wanted = read(scripts.join("main.go"))? + &read(library)?;
    let stamp = Stamp { file: home.join("stamp"), wanted };
    if program.is_file() && stamp.is_current() {
        return Ok(program);
    }
    fs::create_dir_all(&source).map_err(|error| format!("cannot create {}: {error}", source.display()))?;
    for name in ["main.go", "go.mod"] {
        let copied = fs::copy(scripts.join(name), source.join(name));
        copied.map_err(|error| format!("cannot copy {name}: {error}"))?;
    }
    let path =
        std::env::join_paths([home.as_path(), Path::new(GO_LIBRARIES)]).map_err(|error| error.to_string())?;
    let mut go = Command::new("go");
    go.current_dir(&source).args(["build", "-o"]).arg(&program).arg(".");
    go.env("GO111MODULE", "off").env("GOPATH", path).env("GOCACHE", home.join("cache")).env("GOFLAGS", "");
    command::run(&mut go)?;
    let _ = fs::remove_dir_all(home.join("cache"));
    stamp.write()?;
    Ok(program)
}

fn find_chromium() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("FORGE_TEST_CHROMIUM") {
        return Ok(chosen.into());
    }
    let find = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .flat_map(|folder| [folder.join("chromium"), folder.join("google-chrome")])
            .find(|program| program.is_file())
    };
    if find().is_none() {
        install_package("chromium", "Chromium")?;
    }
    find().ok_or_else(|| "package `chromium` is installed, but has no program `chromium`".to_owned())
}

fn require(program: &str, package: &str) -> Result<()> {
    if command::exists(program) {
        return Ok(());
    }
    Err(format!("`{program}` is missing: install it first, on Debian `apt-get install {package}`"))
}

/// Remembers from which text something was installed.
struct Stamp {
    file: PathBuf,
    wanted: String,
}

impl Stamp {
    fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|found| found == self.wanted)
    }

    fn write(&self) -> Result<()> {
        fs::write(&self.file, &self.wanted).map_err(|error| format!("{}: {error}", self.file.display()))
    }
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}
