//! The commented sample file. It is generated, checked in, and compared with this by a test.

use std::fmt::Write;

use super::SECTIONS;

const HEAD: &str = "\
# Configuration of forge: every option, with its default or an example.
#
# Name this file with `--config FILE` or FORGE_CONFIG. Each option is also an environment variable and an
# option of `forge serve`, both named beside it; the command line wins over the environment, the environment
# over this file. Unknown keys are refused.
#
# This file is generated from the program. Refresh it with: cargo xtask refresh-schema
";

/// Returns the commented sample of the configuration file.
pub fn sample() -> String {
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        text.push('\n');
        comment(&mut text, section.doc);
        let _ = writeln!(text, "[{}]", section.key);
        for option in section.options {
            text.push('\n');
            comment(&mut text, option.doc);
            let _ = writeln!(text, "# --{}, {}", option.option, option.variable);
            let _ = writeln!(text, "#{} = {}", option.key, option.sample);
        }
    }
    text
}

fn comment(text: &mut String, doc: &[&str]) {
    for line in doc {
        let _ = writeln!(text, "#{line}");
    }
}
