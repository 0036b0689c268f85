//! Which cells mean "unknown".

/// Cells that mean "unknown".
pub(crate) struct Missing {
    words: Vec<String>,
    longest: usize,
    /// Whether a word starts with this byte: most cells are settled by their first.
    starts: [bool; 256],
}

impl Missing {
    pub(crate) fn new(words: &[String]) -> Self {
        let mut starts = [false; 256];
        for word in words {
            starts[usize::from(word.as_bytes().first().copied().unwrap_or(0))] = true;
        }
        Self { words: words.to_vec(), longest: words.iter().map(String::len).max().unwrap_or(0), starts }
    }

    pub(crate) fn is(&self, cell: &str) -> bool {
        match cell.as_bytes().first() {
            None => true,
            Some(first) => {
                self.starts[usize::from(*first)]
                    && cell.len() <= self.longest
                    && self.words.iter().any(|w| w == cell)
            }
        }
    }
}
