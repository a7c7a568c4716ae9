//! Pages of lists.

/// Which part of a list is wanted, as GitHub's `page` and `per_page` say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    number: u32,
    size: u32,
    /// How many items the page is moved on.
    shift: u32,
}

impl PageRequest {
    /// The largest page.
    pub const MAX_SIZE: u32 = 100;

    /// Creates a request for page `number` (from 1) of `size` items (1 to 100); other values are moved into range.
    #[must_use]
    pub fn new(number: u32, size: u32) -> Self {
        Self { number: number.max(1), size: size.clamp(1, Self::MAX_SIZE), shift: 0 }
    }

    /// Creates a request for the `size` items (1 to 100) after the first `offset`.
    #[must_use]
    pub fn starting_at(offset: u32, size: u32) -> Self {
        let size = size.clamp(1, Self::MAX_SIZE);
        Self { number: offset / size + 1, size, shift: offset % size }
    }

    /// Returns the number of the page, from 1.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }

    /// Returns how many items a page has.
    #[must_use]
    pub const fn size(self) -> u32 {
        self.size
    }

    /// Returns how many items lie before the page.
    #[must_use]
    pub fn offset(self) -> i64 {
        i64::from(self.number - 1) * i64::from(self.size) + i64::from(self.shift)
    }

    /// Returns how many items to read to know whether another page follows.
    #[must_use]
    pub fn limit_with_lookahead(self) -> i64 {
        i64::from(self.size) + 1
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { number: 1, size: 30, shift: 0 }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether items follow.
    pub has_next: bool,
    /// How many there are in all; `None` for a list that is not counted, and for a page past the end.
    pub total: Option<i64>,
}

impl<T> Page<T> {
    /// Cuts items read with [`PageRequest::limit_with_lookahead`] to the page.
    #[must_use]
    pub fn from_lookahead(mut items: Vec<T>, request: PageRequest) -> Self {
        let size = usize::try_from(request.size).unwrap_or(usize::MAX);
        let has_next = items.len() > size;
        items.truncate(size);
        Self { items, has_next, total: None }
    }

    /// Does the same for a list of known length.
    #[must_use]
    pub fn counted(items: Vec<T>, request: PageRequest, total: Option<i64>) -> Self {
        Self { total, ..Self::from_lookahead(items, request) }
    }

    /// Turns every item into another.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(turn).collect(), has_next: self.has_next, total: self.total }
    }
}
