//! Which source wins, what is refused, and that the sample is the truth.

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().copied().collect()
}

fn merged(options: Layers, variables: &[(&str, &str)], file: &str) -> Config {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("forge.toml");
    std::fs::write(&path, file).unwrap();
    Config::gather(options, &environment(variables), Some(&path)).unwrap()
}

#[test]
fn option_beats_environment_beats_file_beats_default() {
    let file = "[log]\nlevel = \"file\"";
    let variables = [("FORGE_LOG_LEVEL", "environment")];
    let mut options = Layers::default();
    options.log.level = Some("option".into());

    assert_eq!(merged(Layers::default(), &[], "").log.level, "info");
    assert_eq!(merged(Layers::default(), &[], file).log.level, "file");
    assert_eq!(merged(Layers::default(), &variables, file).log.level, "environment");
    assert_eq!(merged(options, &variables, file).log.level, "option");
}

#[test]
fn layers_merge_key_by_key() {
    let config = merged(
        Layers::default(),
        &[("FORGE_GIT_MAX_PUSH", "1GB"), ("FORGE_TRUSTED_PROXIES", "10.0.0.0/8,::1")],
        "[git]\nprogram = \"/opt/git\"\n[server]\nlisten = \"127.0.0.1:1\"",
    );
    assert_eq!(config.git.max_push, ByteSize::megabytes(1024));
    assert_eq!(config.git.program, Path::new("/opt/git"));
    assert_eq!(config.server.trusted_proxies.0.len(), 2);
    assert_eq!(config.server.listen.unwrap().port(), 1);
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    assert_eq!(merged(Layers::default(), &[("FORGE_LISTEN", "")], "").server.listen, None);
}

#[test]
fn the_file_may_be_named_by_the_environment() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("forge.toml");
    std::fs::write(&path, "[log]\nformat = \"json\"").unwrap();
    let variables = environment(&[("FORGE_CONFIG", path.to_str().unwrap())]);
    let config = Config::load(Layers::default(), &variables, None).unwrap();
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn unknown_keys_and_wrong_values_are_refused_with_their_line() {
    for (file, expected) in [
        ("[server]\n\nlisten_on = \"x\"", "line 3: unknown field `listen_on`"),
        ("[serve]\n", "line 1: unknown field `serve`"),
        ("[git]\nmax_push = \"much\"", "line 2: `much` is not a size"),
        ("[limits]\nconnections = \"4\"", "line 2: invalid type"),
        ("[registration]\nagents = \"all\"", "line 2: `all` is not one of `key`, `invite`, `open`, `closed`"),
    ] {
        let message = parse_file(file).unwrap_err();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn a_wrong_variable_is_named() {
    let failure =
        Config::load(Layers::default(), &environment(&[("FORGE_LISTEN", "here")]), None).unwrap_err();
    assert!(failure.message.starts_with("FORGE_LISTEN: "), "{failure}");
    assert_eq!(failure.exit, crate::failure::Exit::Usage);
}

#[test]
fn a_missing_file_is_refused() {
    let missing = Path::new("/nonexistent/forge.toml");
    assert!(Config::load(Layers::default(), &Environment::default(), Some(missing)).is_err());
}

#[test]
fn misspelt_variables_are_found() {
    let variables = environment(&[
        ("FORGE_LISTN", "x"),
        ("FORGE_LISTEN", "x"),
        ("FORGE_CONFIG", "x"),
        ("FORGE_PREVIOUS_GH_HOST", "x"),
    ]);
    assert_eq!(Config::unknown_variables(&variables), ["FORGE_LISTN"]);
}

fn refusal(file: &str) -> String {
    let layers = parse_file(file).unwrap();
    layers.resolve().check().unwrap_err()
}

fn transport(file: &str) -> Transport {
    let config = parse_file(file).unwrap().resolve();
    config.check().unwrap();
    config.transport().unwrap()
}

#[test]
fn a_local_host_has_its_own_authority_and_others_must_choose() {
    assert_eq!(transport(""), Transport::Local);
    assert_eq!(
        transport("[server]\nurl = \"http://f.localhost\"\nlisten = \"127.0.0.1:80\""),
        Transport::Off
    );
    let remote = "[server]\nurl = \"https://forge.example\"\nlisten = \"0.0.0.0:443\"\n";
    assert!(refusal(remote).contains("tls.mode"));
    assert!(refusal(&format!("{remote}[tls]\nmode = \"local\"")).contains("only for"));
    assert!(refusal(&format!("{remote}[tls]\nmode = \"files\"")).contains("tls.certificate"));
    let files = format!("{remote}[tls]\nmode = \"files\"\ncertificate = \"c\"\nkey = \"k\"");
    assert_eq!(transport(&files), Transport::Files { certificate: "c".into(), key: "k".into() });
}

#[test]
fn acme_is_refused_because_it_is_not_built() {
    assert!(refusal("[tls]\nmode = \"acme\"").contains("not built"));
}

#[test]
fn outside_local_mode_the_address_must_be_said() {
    assert!(refusal("[server]\nurl = \"https://forge.example\"\n[tls]\nmode = \"off\"").contains("--listen"));
}

#[test]
fn certificates_of_an_identity_proxy_need_a_listener_of_their_own() {
    let certificate = format!("certificates = [\"{}\"]", "ab".repeat(32));
    let listen = "listen = \"127.0.0.1:8444\"";
    assert!(refusal(&format!("[identity_proxy]\n{certificate}")).contains("listen"));
    assert!(refusal(&format!("[identity_proxy]\n{listen}")).contains("certificates"));
    assert_eq!(transport(&format!("[identity_proxy]\n{certificate}\n{listen}")), Transport::Local);
    assert!(refusal("[identity_proxy]\nsubject_header = \"a b\"").contains("header name"));
}

#[test]
fn half_a_provider_is_refused() {
    assert!(refusal("[oidc]\nissuer = \"https://id.example\"").contains("client_id"));
    assert!(refusal("[oidc]\nclient_id = \"forge\"").contains("issuer"));
}

#[test]
fn the_sample_shows_every_default_and_parses() {
    // Without the comment signs before the keys, the sample is a complete file.
    let is_key = |line: &str| line.starts_with('#') && !line.starts_with("# ") && line.contains(" = ");
    let text: String =
        sample().lines().map(|line| if is_key(line) { &line[1..] } else { line }.to_owned() + "\n").collect();
    let shown = parse_file(&text).unwrap().resolve();
    let default = Layers::default().resolve();
    assert_eq!(shown.limits, default.limits);
    assert_eq!(shown.registration, default.registration);
    assert_eq!((shown.agents, shown.git, shown.log), (default.agents, default.git, default.log));
    assert_eq!(shown.server.url, default.server.url);
    assert_eq!(shown.server.ops_listen, default.server.ops_listen);
    assert_eq!(shown.identity_proxy.subject_header, default.identity_proxy.subject_header);
    assert!(shown.oidc.issuer.is_some() && shown.tls.key.is_some() && shown.server.key_file.is_some());
}

#[test]
fn every_option_is_an_option_of_the_command_line() {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        layers: Layers,
    }
    let command = <Line as clap::CommandFactory>::command();
    command.clone().debug_assert();
    for option in SECTIONS.iter().flat_map(|section| section.options) {
        assert!(
            command.get_arguments().any(|known| known.get_long() == Some(option.option)),
            "{}",
            option.option
        );
        assert!(option.variable.starts_with("FORGE_"));
    }
    let line = <Line as clap::Parser>::parse_from([
        "forge",
        "--trusted-proxies",
        "10.0.0.1,10.0.0.2",
        "--tls",
        "off",
    ]);
    assert_eq!(line.layers.server.trusted_proxies.unwrap().0.len(), 2);
    assert_eq!(line.layers.tls.mode, Some(TlsMode::Off));
}
