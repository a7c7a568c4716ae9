//! Push certificates: what a client signed of its push. See gitprotocol-pack(5), "Push Certificate".
//!
//! INVARIANT: the commands and options of a signed push are read from the signed bytes alone. What the protocol does not name
//! is refused: nobody is to believe that something was signed which nobody read.

use forge_types::ObjectFormat;
use tokio::io::AsyncRead;

use super::request::{Command, RequestLimits};
use crate::signature::{Keys, SignatureKind, SignatureState, Signed, signed_text};
use crate::wire::pkt::{Packet, Reader};
use crate::{Error, Result};

/// The longest certificate, in bytes: it is kept with the push for ever.
const LONGEST: usize = 1 << 20;

/// The first line of the only version there is.
const VERSION: &str = "certificate version 0.1";

/// The line after the last one of a certificate, which is no part of it.
const END: &[u8] = b"push-cert-end";

/// A certificate whose form is right. Who signed it, and whether its nonce is one of ours, is for the caller to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    text: String,
    pusher: String,
    pushee: Option<String>,
    nonce: Option<String>,
    push_options: Vec<String>,
    signed: Signed,
}

impl Certificate {
    /// Returns the whole text with its signature, to the byte.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns what the client says of who pushes: a key and the time. It is the client's word alone.
    pub fn pusher(&self) -> &str {
        &self.pusher
    }

    /// Returns the address that is pushed to.
    pub fn pushee(&self) -> Option<&str> {
        self.pushee.as_deref()
    }

    /// Returns the nonce that the client repeats.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// Returns the push options that were signed.
    pub fn push_options(&self) -> &[String] {
        &self.push_options
    }

    /// Returns the form of the signature.
    pub fn kind(&self) -> SignatureKind {
        self.signed.kind()
    }

    /// Returns the fingerprint of the SSH key that claims to have signed.
    pub fn claimed_key(&self) -> Option<String> {
        self.signed.claimed_key()
    }

    /// Verifies the signature; blocks for as long as that takes.
    pub fn verify(&self, keys: Keys<'_>) -> SignatureState {
        self.signed.verify(keys)
    }

    /// Takes a certificate and its commands from the packets after the one that announced it, up to the one that ends it.
    pub(super) async fn read<R: AsyncRead + Unpin>(
        reader: &mut Reader<R>,
        format: ObjectFormat,
        limits: &RequestLimits,
    ) -> Result<(Self, Vec<Command>)> {
        let mut text = Vec::new();
        loop {
            let Some(Packet::Data(line)) = reader.next().await? else {
                return Err(Error::protocol("the push certificate does not end"));
            };
            if line.strip_suffix(b"\n").unwrap_or(&line) == END {
                return Self::parse(text, format, limits);
            }
            if text.len() + line.len() > LONGEST {
                return Err(Error::TooLarge(format!("a push certificate may have at most {LONGEST} bytes")));
            }
            text.extend_from_slice(&line);
        }
    }

    fn parse(text: Vec<u8>, format: ObjectFormat, limits: &RequestLimits) -> Result<(Self, Vec<Command>)> {
        let signed = signed_text(&text).ok_or_else(|| refused("is not signed"))?;
        let text = String::from_utf8(text).map_err(|_| refused("is not UTF-8"))?;
        if text.contains('\0') {
            return Err(refused("has a null byte"));
        }
        let payload = &text[..signed.payload.len()];
        let (header, commands) = payload
            .split_once("\n\n")
            .ok_or_else(|| refused("has no line between its header and its commands"))?;
        let commands =
            commands.strip_suffix('\n').ok_or_else(|| refused("has a command that does not end"))?;
        if commands.split('\n').count() > limits.commands {
            return Err(Error::TooLarge(format!("one push may change at most {} refs", limits.commands)));
        }
        let commands = commands.split('\n').map(|line| Command::parse(line.as_bytes(), format));
        let commands = commands.collect::<Result<Vec<_>>>()?;
        let header = Header::parse(header)?;
        let pusher = header.pusher.ok_or_else(|| refused("does not say who pushes"))?.to_owned();
        let (pushee, nonce) = (header.pushee.map(str::to_owned), header.nonce.map(str::to_owned));
        let push_options = header.push_options.into_iter().map(str::to_owned).collect();
        Ok((Self { pusher, pushee, nonce, push_options, signed, text }, commands))
    }
}

/// What stands before the commands.
#[derive(Default)]
struct Header<'a> {
    pusher: Option<&'a str>,
    pushee: Option<&'a str>,
    nonce: Option<&'a str>,
    push_options: Vec<&'a str>,
}

impl<'a> Header<'a> {
    fn parse(text: &'a str) -> Result<Self> {
        let mut lines = text.split('\n');
        if lines.next() != Some(VERSION) {
            return Err(refused("is not of version 0.1"));
        }
        let mut header = Self::default();
        for line in lines {
            let (name, value) = line.split_once(' ').ok_or_else(|| refused("has a line without a value"))?;
            let place = match name {
                "pusher" => &mut header.pusher,
                "pushee" => &mut header.pushee,
                "nonce" => &mut header.nonce,
                "push-option" => {
                    header.push_options.push(value);
                    continue;
                }
                _ => return Err(refused("has a line that its version does not know")),
            };
            if place.replace(value).is_some() {
                return Err(refused("says the same thing twice"));
            }
        }
        Ok(header)
    }
}

fn refused(how: &str) -> Error {
    Error::Protocol(format!("the push certificate {how}"))
}
