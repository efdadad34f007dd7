//! A column of text as codes into its distinct levels.

use std::collections::HashMap;

/// Text of one column: each distinct text is kept once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Categories {
    /// One per row: the position in `levels`, or [`Categories::MISSING`].
    pub codes: Vec<u32>,
    /// The distinct texts, in order of first appearance.
    pub levels: Vec<String>,
}

impl Categories {
    /// The code of a missing text.
    pub const MISSING: u32 = u32::MAX;

    /// The text in `row` (0-based); `None` where it is missing. Panics past the end, like a slice.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.levels.get(self.codes[row] as usize).map(String::as_str)
    }
}

impl<'a> FromIterator<Option<&'a str>> for Categories {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(texts: I) -> Self {
        let mut builder = CategoriesBuilder::default();
        texts.into_iter().for_each(|text| builder.push(text));
        builder.finish()
    }
}

/// Grows [`Categories`] row by row.
#[derive(Debug, Default)]
pub(crate) struct CategoriesBuilder {
    categories: Categories,
    code_of: HashMap<String, u32>,
    last: u32,
}

impl CategoriesBuilder {
    pub(crate) fn push(&mut self, text: Option<&str>) {
        let code = text.map_or(Categories::MISSING, |text| self.code(text));
        self.categories.codes.push(code);
    }

    /// Real tables are full of runs, so the previous row's level is tried before the map.
    fn code(&mut self, text: &str) -> u32 {
        let levels = &mut self.categories.levels;
        if levels.get(self.last as usize).is_some_and(|level| level == text) {
            return self.last;
        }
        self.last = self.code_of.get(text).copied().unwrap_or_else(|| {
            let code = levels.len() as u32;
            levels.push(text.to_owned());
            self.code_of.insert(text.to_owned(), code);
            code
        });
        self.last
    }

    pub(crate) fn finish(mut self) -> Categories {
        self.categories.codes.shrink_to_fit();
        self.categories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_come_in_order_of_first_appearance() {
        let categories: Categories = [Some("b"), None, Some("a"), Some("b"), Some("")].into_iter().collect();
        assert_eq!(categories.levels, ["b", "a", ""]);
        assert_eq!(categories.codes, [0, u32::MAX, 1, 0, 2]);
        assert_eq!((categories.get(1), categories.get(2)), (None, Some("a")));
    }
}
