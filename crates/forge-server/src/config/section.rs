//! The macro that declares one section of the configuration.
//!
//! An option is written once. From it come the field of the final settings, the field of a layer (file,
//! environment or command line), its name in all three places, and its lines in the sample file.
//!
//! INVARIANT: an option cannot exist in one place and be missing in another.

use super::environment::Environment;

/// One option as the sample file and the documentation show it.
#[derive(Debug, Clone, Copy)]
pub struct OptionInfo {
    /// The key inside its section.
    pub key: &'static str,
    /// The doc comment, a line each.
    pub doc: &'static [&'static str],
    /// The name on the command line, without dashes.
    pub option: &'static str,
    /// The environment variable.
    pub variable: &'static str,
    /// The value that the sample shows, as TOML: the default, or an example where there is none.
    pub sample: &'static str,
}

/// One section as the sample file shows it.
#[derive(Debug, Clone, Copy)]
pub struct SectionInfo {
    /// The name of the table.
    pub key: &'static str,
    /// The doc comment, a line each.
    pub doc: &'static [&'static str],
    /// The options in order.
    pub options: &'static [OptionInfo],
}

/// One source of settings for one section: a file, the environment or the command line.
pub(crate) trait Layer: Sized {
    /// The settings once all layers are merged.
    type Settings;

    /// How the section looks in the sample.
    const INFO: SectionInfo;

    /// Reads the section's environment variables.
    fn from_environment(environment: &Environment) -> Result<Self, String>;

    /// Takes what is set here, and what is not from `weaker`.
    fn or(self, weaker: Self) -> Self;

    /// Fills in the defaults.
    fn resolve(self) -> Self::Settings;
}

/// Returns what `--help` says about an option.
pub(crate) fn help(doc: &[&str], variable: &str) -> String {
    let text: Vec<&str> = doc.iter().map(|line| line.trim()).collect();
    format!("{} [{variable}]", text.join(" "))
}

/// Declares a section: settings, layer and documentation.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        [$table:ident] $name:ident, $layer:ident {
            $(
                $(#[doc = $doc:literal])+
                $kind:ident $field:ident: $ty:ty $(= $default:expr)? => $option:literal, $variable:literal, $sample:literal;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: section!(@type $kind $ty), )+
        }

        #[doc = concat!("The `", stringify!($table), "` section as one source gives it.")]
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, clap::Args)]
        #[serde(deny_unknown_fields, default)]
        #[command(next_help_heading = concat!("Section ", stringify!($table)))]
        pub struct $layer {
            $(
                $(#[doc = $doc])+
                #[arg(
                    id = $variable,
                    long = $option,
                    value_name = "VALUE",
                    help = crate::config::section::help(&[$($doc),+], $variable)
                )]
                pub $field: Option<$ty>,
            )+
        }

        impl crate::config::section::Layer for $layer {
            type Settings = $name;

            const INFO: crate::config::section::SectionInfo = crate::config::section::SectionInfo {
                key: stringify!($table),
                doc: &[$($about),+],
                options: &[$(crate::config::section::OptionInfo {
                    key: stringify!($field),
                    doc: &[$($doc),+],
                    option: $option,
                    variable: $variable,
                    sample: $sample,
                }),+],
            };

            fn from_environment(environment: &crate::config::Environment) -> Result<Self, String> {
                Ok(Self { $( $field: environment.parse($variable)?, )+ })
            }

            fn or(self, weaker: Self) -> Self {
                Self { $( $field: self.$field.or(weaker.$field), )+ }
            }

            fn resolve(self) -> $name {
                $name { $( $field: section!(@value $kind self.$field $(, $default)?), )+ }
            }
        }
    };
    (@type optional $ty:ty) => { Option<$ty> };
    (@type default $ty:ty) => { $ty };
    (@value optional $value:expr) => { $value };
    (@value default $value:expr, $default:expr) => { $value.unwrap_or_else(|| $default) };
}

pub(crate) use section;
