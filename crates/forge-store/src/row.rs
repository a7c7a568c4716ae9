//! Values going into statements and columns coming out, alike for both databases.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, ColumnIndex, Decode, Row as _, Type};

use forge_types::Timestamp;
use forge_types::account::{AccountKind, AccountStatus};
use forge_types::page::{Page, PageRequest};

use crate::error::{StoreError, StoreResult};

/// A parameter. `None` keeps its type, so that PostgreSQL knows it.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Int(Option<i64>),
    Bool(Option<bool>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

macro_rules! values {
    ($($source:ty => $variant:ident, $turn:expr;)*) => { $(
        impl From<$source> for Value {
            fn from(value: $source) -> Self {
                let turn: fn($source) -> _ = $turn;
                Self::$variant(Some(turn(value)))
            }
        }
        impl From<Option<$source>> for Value {
            fn from(value: Option<$source>) -> Self {
                let turn: fn($source) -> _ = $turn;
                Self::$variant(value.map(turn))
            }
        }
    )* };
}

values! {
    i64 => Int, |v| v;
    bool => Bool, |v| v;
    &str => Text, |v| v.to_owned();
    String => Text, |v| v;
    &String => Text, Clone::clone;
    Vec<u8> => Bytes, |v| v;
    &[u8] => Bytes, |v| v.to_vec();
    [u8; 32] => Bytes, |v| v.to_vec();
    &[u8; 32] => Bytes, |v| v.to_vec();
    Timestamp => Int, Timestamp::as_micros;
    &forge_types::id::InviteId => Text, |v| v.0.clone();
    &forge_types::id::GrantId => Text, |v| v.0.clone();
    &forge_types::id::KillSwitchId => Text, |v| v.0.clone();
    &forge_types::id::ApprovalId => Text, |v| v.0.clone();
}

macro_rules! integer_ids {
    ($($id:ident),* $(,)?) => { $(
        impl From<forge_types::id::$id> for Value {
            fn from(id: forge_types::id::$id) -> Self { Self::Int(Some(id.0)) }
        }
        impl From<Option<forge_types::id::$id>> for Value {
            fn from(id: Option<forge_types::id::$id>) -> Self { Self::Int(id.map(|id| id.0)) }
        }
        impl Column for forge_types::id::$id {
            fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> { i64::read(row, name).map(Self) }
        }
        impl Column for Option<forge_types::id::$id> {
            fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
                Ok(Option::<i64>::read(row, name)?.map(forge_types::id::$id))
            }
        }
    )* };
}

integer_ids!(
    AccessGroupId,
    DelegationPolicyId,
    AccountId,
    RepositoryId,
    CredentialId,
    TeamId,
    LabelId,
    PublicKeyId,
    ClientId,
    PushId,
    AuditEventId,
    WebSessionId,
    JobId,
);

macro_rules! add_all {
    ($arguments:ty, $values:expr) => {{
        let mut arguments = <$arguments>::default();
        for value in $values {
            match value {
                Value::Int(v) => arguments.add(v),
                Value::Bool(v) => arguments.add(v),
                Value::Text(v) => arguments.add(v),
                Value::Bytes(v) => arguments.add(v),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok(arguments)
    }};
}

pub(crate) fn sqlite_arguments(values: Vec<Value>) -> Result<SqliteArguments, sqlx::Error> {
    add_all!(SqliteArguments, values)
}

pub(crate) fn postgres_arguments(values: Vec<Value>) -> Result<PgArguments, sqlx::Error> {
    add_all!(PgArguments, values)
}

/// A row of either database.
pub(crate) enum Row<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

impl Row<'_> {
    /// Reads the column `name`.
    pub(crate) fn get<T: Column>(&self, name: &str) -> StoreResult<T> {
        T::read(self, name)
    }

    fn native<'r, T>(&'r self, name: &str) -> StoreResult<T>
    where
        T: Decode<'r, sqlx::Sqlite> + Type<sqlx::Sqlite> + Decode<'r, sqlx::Postgres> + Type<sqlx::Postgres>,
        for<'c> &'c str: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(name)?,
            Self::Postgres(row) => row.try_get(name)?,
        })
    }
}

/// A type a column can hold.
pub(crate) trait Column: Sized {
    /// Reads the column `name` of `row`.
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self>;
}

macro_rules! native_columns {
    ($($column:ty),* $(,)?) => { $(
        impl Column for $column {
            fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> { row.native(name) }
        }
        impl Column for Option<$column> {
            fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> { row.native(name) }
        }
    )* };
}
native_columns!(i64, bool, String, Vec<u8>);

impl Column for Timestamp {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        i64::read(row, name).map(Self::from_micros)
    }
}

impl Column for Option<Timestamp> {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        Ok(Option::<i64>::read(row, name)?.map(Timestamp::from_micros))
    }
}

/// Types that are kept as text and read back with `parse`.
macro_rules! text_columns {
    ($($column:ty),* $(,)?) => { $(
        impl $crate::row::Column for $column {
            fn read(row: &$crate::row::Row<'_>, name: &str) -> $crate::StoreResult<Self> {
                let text: String = row.get(name)?;
                <$column>::parse(&text).ok_or_else(|| $crate::row::corrupt(name, &text))
            }
        }
        impl $crate::row::Column for Option<$column> {
            fn read(row: &$crate::row::Row<'_>, name: &str) -> $crate::StoreResult<Self> {
                let text: Option<String> = row.get(name)?;
                text.map(|text| <$column>::parse(&text).ok_or_else(|| $crate::row::corrupt(name, &text)))
                    .transpose()
            }
        }
    )* };
}

text_columns!(
    AccountKind,
    AccountStatus,
    forge_types::approval::ApprovalState,
    forge_types::agent::StandingAccess,
    forge_types::audience::Audience,
    forge_types::repository::Visibility,
    forge_types::organization::OrganizationRole,
    forge_types::organization::TeamRole,
    forge_types::organization::TeamPrivacy,
    forge_types::public_key::PublicKeyUse,
);

macro_rules! text_ids {
    ($($id:ident),* $(,)?) => { $(
        impl Column for forge_types::id::$id {
            fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
                row.get(name).map(Self)
            }
        }
        impl Column for Option<forge_types::id::$id> {
            fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
                Ok(row.get::<Option<String>>(name)?.map(forge_types::id::$id))
            }
        }
    )* };
}

/// What is kept as JSON.
impl Column for forge_types::ceiling::Ceiling {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let text: String = row.get(name)?;
        serde_json::from_str(&text).map_err(|_| corrupt(name, &text))
    }
}

impl Column for Option<forge_types::ceiling::Ceiling> {
    fn read(row: &Row<'_>, name: &str) -> StoreResult<Self> {
        let text: Option<String> = row.get(name)?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| corrupt(name, &text))).transpose()
    }
}

impl From<&forge_types::ceiling::Ceiling> for Value {
    fn from(ceiling: &forge_types::ceiling::Ceiling) -> Self {
        // A struct of names and lists of names is always JSON.
        Self::Text(Some(serde_json::to_string(ceiling).unwrap_or_default()))
    }
}

text_ids!(InviteId, GrantId, KillSwitchId, ApprovalId);

/// Says that the column `name` holds what the program never wrote.
pub(crate) fn corrupt(name: &str, value: &str) -> StoreError {
    StoreError::Corrupt(format!("column {name} holds `{value}`"))
}

/// What a statement returns, read from its columns.
pub(crate) trait FromRow: Sized {
    /// Reads one row.
    fn from_row(row: &Row<'_>) -> StoreResult<Self>;
}

/// A row of a list with the length of the whole list, `COUNT(*) OVER () AS total`.
pub(crate) struct Counted<T> {
    item: T,
    total: i64,
}

impl<T: FromRow> FromRow for Counted<T> {
    fn from_row(row: &Row<'_>) -> StoreResult<Self> {
        Ok(Self { item: T::from_row(row)?, total: row.get("total")? })
    }
}

impl<T> Counted<T> {
    /// Cuts rows read with one more than the page has to the page. A page past the end has no row that says how long the
    /// list is.
    pub(crate) fn page(rows: Vec<Self>, request: PageRequest) -> Page<T> {
        let nothing = (request.offset() == 0).then_some(0);
        let total = rows.first().map(|row| row.total).or(nothing);
        Page::counted(rows.into_iter().map(|row| row.item).collect(), request, total)
    }
}

/// Implements [`FromRow`] for a struct whose fields are columns of the same names.
macro_rules! from_row {
    ($record:ty { $($field:ident),* $(,)? }) => {
        impl $crate::row::FromRow for $record {
            fn from_row(row: &$crate::row::Row<'_>) -> $crate::StoreResult<Self> {
                Ok(Self { $($field: row.get(stringify!($field))?),* })
            }
        }
    };
}
pub(crate) use from_row;

/// Returns `text` in lower case, with the characters that mean something to `LIKE … ESCAPE '\'` meaning themselves.
pub(crate) fn like_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.to_lowercase().chars() {
        if matches!(character, '\\' | '%' | '_') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
