//! The commands of a push: what is accepted keeps within the limits, and the pack begins where they end.

use forge_git::receive::{CommandStatus, Request, RequestLimits, Unpack, report_status};
use forge_git::signature::Keys;
use tokio::io::AsyncReadExt as _;

use crate::support::{choice, expect_refusal, format, in_pieces, now, packets};

const LIMITS: RequestLimits =
    RequestLimits { commands: 8, push_options: 3, push_option_bytes: 40, bytes: 3000 };

pub(crate) fn run(bytes: &[u8]) {
    let (choice, bytes) = choice(bytes);
    let mut from = bytes;
    let request = now(Request::read(&mut from, format(choice), &LIMITS));
    let mut pieces = in_pieces(bytes, usize::from(choice) * 3);
    let again = now(Request::read(&mut pieces, format(choice), &LIMITS));
    let request = match (request, again) {
        (Ok(request), Ok(again)) => {
            let mut rest = Vec::new();
            now(pieces.read_to_end(&mut rest)).expect("memory does not fail");
            assert_eq!(rest, from, "the pack begins elsewhere");
            assert_eq!(request.commands, again.commands);
            request
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.to_string(), again.to_string());
            return expect_refusal(&error);
        }
        (read, again) => panic!("{read:?} is not {again:?}"),
    };
    assert!(request.commands.len() <= LIMITS.commands);
    assert!(request.push_options.len() <= LIMITS.push_options);
    for option in &request.push_options {
        assert!(option.len() <= LIMITS.push_option_bytes && !option.contains(['\n', '\0']), "{option:?}");
    }
    for command in &request.commands {
        assert_eq!(command.old.format(), format(choice));
        assert_eq!(command.new.format(), format(choice));
        if let Ok(name) = &command.name {
            assert_eq!(name.as_str().as_bytes(), command.raw_name);
        }
    }
    assert!(request.capabilities.push_options || request.push_options.is_empty());
    if let Some(certificate) = &request.certificate {
        assert_eq!(certificate.push_options(), request.push_options);
        for command in &request.commands {
            let name = String::from_utf8_lossy(&command.raw_name);
            let line = format!("\n{} {} {name}\n", command.old, command.new);
            assert!(certificate.text().to_lowercase().contains(&line.to_lowercase()), "not signed: {line:?}");
        }
        let _ = (certificate.claimed_key(), certificate.verify(Keys::default()));
    }
    let refused = CommandStatus::Refused(String::from_utf8_lossy(bytes).into_owned());
    let results = request.commands.iter().map(|command| (&command.raw_name[..], &refused));
    let report = report_status(true, &Unpack::Failed("no\nno".into()), results);
    let lines = packets(&report, usize::MAX).expect("a report is packets");
    assert_eq!(lines.len(), request.commands.len() + 2);
}
