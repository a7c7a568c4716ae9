//! The one error type of everything above the store and the Git engine.
//!
//! An error says what kind it is (each edge maps every kind, without a wildcard), what the caller is told, and, apart
//! from that, what the operator may know. Detail for the operator never enters the message.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::approval::ApprovalNote;

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the terms the edges translate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The object does not exist, or the caller may not know that it does.
    NotFound,
    /// No valid credential was presented.
    Unauthenticated,
    /// A credential or a key was presented without the proof that it takes.
    Unproved(ProofProblem),
    /// The caller may see the object but may not do this to it.
    Forbidden,
    /// Nothing is missing but a human's approval, which was asked for.
    ApprovalRequired(Box<ApprovalNote>),
    /// The caller may do this, but not as things stand: a policy asks for something first.
    Withheld(Withheld),
    /// The credential lacks a scope; all that would suffice are named.
    InsufficientScope(Vec<&'static str>),
    /// The request could not be read: malformed JSON, wrong types, broken framing.
    Malformed,
    /// The request was read and its content breaks a rule, field by field.
    Invalid(Vec<FieldError>),
    /// The request conflicts with the present state.
    Conflict,
    /// What the caller saw last is no longer so: it may look again and then ask again.
    Stale,
    /// A part of the request exceeds a limit.
    TooLarge,
    /// The caller has to slow down.
    RateLimited(Duration),
    /// The forge cannot do this right now; nothing was changed.
    Unavailable(Duration),
    /// A fault of ours.
    Internal,
}

impl ErrorKind {
    /// Returns the code that programs can rely on, whatever the message says.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Unauthenticated => "unauthenticated",
            Self::Unproved(problem) => problem.as_str(),
            Self::Forbidden => "forbidden",
            Self::ApprovalRequired(_) => "approval_required",
            Self::Withheld(withheld) => withheld.as_str(),
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::Malformed => "malformed",
            Self::Invalid(_) => "invalid",
            Self::Conflict => "conflict",
            Self::Stale => "stale",
            Self::TooLarge => "too_large",
            Self::RateLimited(_) => "rate_limited",
            Self::Unavailable(_) => "unavailable",
            Self::Internal => "internal",
        }
    }
}

/// What a policy asks for before the caller may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// Nothing helps for now: what is there may be read, not changed.
    ReadOnly,
    /// A review.
    ReviewNeeded,
    /// A better proof of who the caller is (RFC 9470).
    StrongerAuthentication,
}

impl Withheld {
    /// Returns the code that programs can rely on.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::ReviewNeeded => "review_required",
            Self::StrongerAuthentication => "insufficient_user_authentication",
        }
    }
}

/// What is wrong with a proof of possession, in the words of RFC 9449 §7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofProblem {
    /// The token is not one that this proof, or none, makes good.
    InvalidToken,
    /// The token is bound to another client certificate than that of the connection (RFC 8705 §3).
    WrongCertificate,
    /// The proof is malformed, not for this request, or has come before.
    InvalidProof,
    /// The proof must repeat a nonce that the answer brings.
    NonceNeeded,
}

impl ProofProblem {
    /// Returns the error code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidToken | Self::WrongCertificate => "invalid_token",
            Self::InvalidProof => "invalid_dpop_proof",
            Self::NonceNeeded => "use_dpop_nonce",
        }
    }
}

/// GitHub's validation codes (<https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldCode {
    /// A resource does not exist.
    Missing,
    /// A required field was not set.
    MissingField,
    /// The value is not formatted as required.
    Invalid,
    /// Another resource has the same value.
    AlreadyExists,
    /// The inputs were invalid together.
    Unprocessable,
    /// Described by the message alone.
    Custom,
}

impl FieldCode {
    /// Returns the code as GitHub writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::MissingField => "missing_field",
            Self::Invalid => "invalid",
            Self::AlreadyExists => "already_exists",
            Self::Unprocessable => "unprocessable",
            Self::Custom => "custom",
        }
    }
}

/// One broken rule of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// GitHub's name of the resource, such as `Repository`.
    pub resource: &'static str,
    /// The field of the request.
    pub field: &'static str,
    /// Which rule was broken.
    pub code: FieldCode,
    /// A sentence for the reader.
    pub message: Option<String>,
}

/// What went wrong, what the caller is told, and what the operator may know.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Creates an error of `kind` with a message for the caller.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Absent, or not for this caller to know: always the same words.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ErrorKind::NotFound, "Not Found")
    }

    /// No valid credential: the words clients look for.
    #[must_use]
    pub fn bad_credentials() -> Self {
        Self::new(ErrorKind::Unauthenticated, "Bad credentials")
    }

    /// No credential at all where one is needed.
    #[must_use]
    pub fn requires_authentication() -> Self {
        Self::new(ErrorKind::Unauthenticated, "Requires authentication")
    }

    /// A proof of possession is missing or proves nothing; the message says why.
    pub fn unproved(problem: ProofProblem, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unproved(problem), message)
    }

    /// The caller may not do this; the message says why and what would be needed.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, message)
    }

    /// The request waits for a human.
    #[must_use]
    pub fn approval_required(note: ApprovalNote) -> Self {
        let message = format!("{}; it is {}", note.reason, note.held());
        Self::new(ErrorKind::ApprovalRequired(Box::new(note)), message)
    }

    /// The request could not be read.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed, message)
    }

    /// One field of the request breaks a rule.
    pub fn invalid(
        resource: &'static str,
        field: &'static str,
        code: FieldCode,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        let field = FieldError { resource, field, code, message: Some(message) };
        Self::new(ErrorKind::Invalid(vec![field]), "Validation Failed")
    }

    /// Several fields of the request break rules.
    #[must_use]
    pub fn invalid_fields(fields: Vec<FieldError>) -> Self {
        Self::new(ErrorKind::Invalid(fields), "Validation Failed")
    }

    /// The request breaks a rule that no single field carries.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid(Vec::new()), message)
    }

    /// The request conflicts with the present state.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    /// What the caller saw last is no longer so.
    pub fn stale(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Stale, message)
    }

    /// The forge cannot do this right now; the caller may try again after `retry_after`.
    #[must_use]
    pub fn unavailable(retry_after: Duration) -> Self {
        Self::new(ErrorKind::Unavailable(retry_after), "the service is unavailable, try again shortly")
    }

    /// A fault of ours, with what the operator needs to find it.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, "internal error").with_source(source)
    }

    /// Adds the cause, for the operator's log only.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Returns the message for the caller.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns whether the same request may succeed later without being changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::RateLimited(_) | ErrorKind::Unavailable(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
/// Returns an error with what lies behind it: that a certificate is not trusted stands there alone.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
