//! Chance that is the same every time, and text made of it that compresses about as source code does.

use std::io::{Result, Write};

/// A sequence of numbers that depends on the seed alone (SplitMix64).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// Returns a number below the limit; small ones come much more often.
    pub(super) fn low(&mut self, limit: usize) -> usize {
        self.below(limit).min(self.below(limit)).min(self.below(limit))
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let words = count.div_ceil(8);
        let mut bytes: Vec<u8> = (0..words).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(count);
        bytes
    }
}

/// Words of which lines are made.
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn new() -> Self {
        const SYLLABLES: [&str; 24] = [
            "re", "con", "ta", "ble", "in", "der", "mo", "st", "al", "pre", "ver", "lo", "can", "sig", "ter",
            "un", "pa", "ge", "li", "nor", "ex", "du", "ce", "or",
        ];
        let mut chance = Chance::new(1);
        let word = |_| -> String { (0..2 + chance.below(3)).map(|_| SYLLABLES[chance.below(24)]).collect() };
        Self((0..3000).map(word).collect())
    }

    /// Returns a line of text.
    pub(super) fn line(&self, chance: &mut Chance) -> String {
        let mut line = " ".repeat(4 * chance.below(4));
        for at in 0..3 + chance.below(7) {
            if at > 0 {
                line.push_str([" ", " ", " = ", ".", "(", ", "][chance.below(6)]);
            }
            line.push_str(&self.0[chance.low(self.0.len())]);
        }
        line
    }

    pub(super) fn lines(&self, chance: &mut Chance, count: usize) -> Vec<String> {
        (0..count).map(|_| self.line(chance)).collect()
    }
}

/// Writes a `data` command of `git fast-import`.
pub(super) fn data(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    writeln!(out, "data {}", bytes.len())?;
    out.write_all(bytes)?;
    out.write_all(b"\n")
}
