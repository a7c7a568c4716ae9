//! Parts of lists as GraphQL asks for them: by positions, from either end.

/// Which part of a list is wanted. Positions count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Window {
    /// The position after which the part begins; 0 is the beginning.
    pub after: i64,
    /// The position before which the part ends.
    pub before: Option<i64>,
    /// At most so many items, from the beginning.
    pub first: Option<i64>,
    /// At most so many items, up to the end.
    pub last: Option<i64>,
}

impl Window {
    /// Returns the first `count` items.
    #[must_use]
    pub const fn first(count: i64) -> Self {
        Self { after: 0, before: None, first: Some(count), last: None }
    }

    /// Returns whether the item at `position` of a list of `total` items lies in the part.
    #[must_use]
    pub fn contains(&self, position: i64, total: i64) -> bool {
        let end = self.before.map_or(total + 1, |before| before.min(total + 1));
        position > self.after
            && position < end
            && self.first.is_none_or(|first| position <= self.after.saturating_add(first))
            && self.last.is_none_or(|last| position >= end.saturating_sub(last))
    }

    /// Cuts a whole list to the part.
    #[must_use]
    pub fn cut<T>(&self, items: Vec<T>) -> Windowed<T> {
        let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let numbered = (1..).zip(items).filter(|(position, _)| self.contains(*position, total));
        Windowed { items: numbered.collect(), total }
    }
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windowed<T> {
    /// The items with their positions.
    pub items: Vec<(i64, T)>,
    /// How many items the whole list has.
    pub total: i64,
}

impl<T> Windowed<T> {
    /// Returns part of an empty list.
    #[must_use]
    pub const fn empty() -> Self {
        Self { items: Vec::new(), total: 0 }
    }

    /// Turns every item into another.
    pub fn map<U>(self, mut turn: impl FnMut(T) -> U) -> Windowed<U> {
        let items = self.items.into_iter().map(|(position, item)| (position, turn(item))).collect();
        Windowed { items, total: self.total }
    }
}

impl<T> Default for Windowed<T> {
    fn default() -> Self {
        Self::empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(window: Window) -> Vec<i64> {
        window.cut((1..=10).collect()).items.into_iter().map(|(position, _)| position).collect()
    }

    #[test]
    fn windows_count_from_either_end() {
        assert_eq!(cut(Window::first(3)), [1, 2, 3]);
        assert_eq!(cut(Window { after: 8, ..Window::first(5) }), [9, 10]);
        assert_eq!(cut(Window { last: Some(2), ..Window::default() }), [9, 10]);
        assert_eq!(cut(Window { last: Some(2), before: Some(5), ..Window::default() }), [3, 4]);
        assert_eq!(cut(Window { after: 3, before: Some(6), first: Some(9), ..Window::default() }), [4, 5]);
        assert_eq!(cut(Window { after: 30, ..Window::first(5) }), [0; 0]);
        assert_eq!(cut(Window { before: Some(50), last: Some(1), ..Window::default() }), [10]);
        assert_eq!(cut(Window::default()).len(), 10);
    }
}
