//! A column of numbers in the smallest storage that keeps every value exactly.

/// Numbers of one column; a missing number is NaN.
///
/// Stored as bytes, `f32` or `f64`, whichever is the smallest that holds every value without rounding:
/// 70,000 images of 784 `uint8` pixels take 55 MB, not 440 MB.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers(Storage);

#[derive(Debug, Clone, PartialEq)]
enum Storage {
    Byte(Vec<u8>),
    Single(Vec<f32>),
    Double(Vec<f64>),
}

/// Runs `$body` with `$values` bound to the vector in use.
macro_rules! with_storage {
    ($storage:expr, $values:ident => $body:expr) => {
        match $storage {
            Storage::Byte($values) => $body,
            Storage::Single($values) => $body,
            Storage::Double($values) => $body,
        }
    };
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers(Storage::Byte(Vec::new()))
    }
}

impl Numbers {
    /// Appends one value (NaN: missing), widening the storage when it must.
    #[inline]
    pub fn push(&mut self, value: f64) {
        match &mut self.0 {
            Storage::Byte(values) if is_byte(value) => values.push(value as u8),
            Storage::Single(values) if is_single(value) => values.push(value as f32),
            Storage::Double(values) => values.push(value),
            _ => self.extend(&[value]),
        }
    }

    /// Appends values (NaN: missing), widening the storage when it must.
    pub fn extend(&mut self, new: &[f64]) {
        if let Storage::Byte(values) = &mut self.0 {
            if new.iter().all(|&value| is_byte(value)) {
                values.extend(new.iter().map(|&value| value as u8));
                return;
            }
            self.0 = Storage::Single(values.iter().map(|&v| f32::from(v)).collect());
        }
        if let Storage::Single(values) = &mut self.0 {
            if new.iter().all(|&value| is_single(value)) {
                values.extend(new.iter().map(|&value| value as f32));
                return;
            }
            self.0 = Storage::Double(values.iter().map(|&v| f64::from(v)).collect());
        }
        if let Storage::Double(values) = &mut self.0 {
            values.extend(new);
        }
    }

    /// The number in `row` (0-based); NaN where it is missing. Panics past the end, like a slice.
    #[inline]
    pub fn get(&self, row: usize) -> f64 {
        match &self.0 {
            Storage::Byte(values) => f64::from(values[row]),
            Storage::Single(values) => f64::from(values[row]),
            Storage::Double(values) => values[row],
        }
    }

    /// How many numbers there are, the missing ones included.
    pub fn len(&self) -> usize {
        with_storage!(&self.0, values => values.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All numbers in row order; NaN where one is missing.
    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Whether every number that is not missing is exactly an `i64`.
    pub(crate) fn is_integer(&self) -> bool {
        self.iter().all(|value| value.is_nan() || (value as i64 as f64).to_bits() == value.to_bits())
    }

    /// Whether the storage has no missing and no infinite number.
    pub(crate) fn never_missing(&self) -> bool {
        matches!(self.0, Storage::Byte(_))
    }

    /// The first row (0-based) with an infinite number.
    pub(crate) fn first_infinite(&self) -> Option<usize> {
        if self.never_missing() {
            return None;
        }
        (0..self.len()).find(|&row| self.get(row).is_infinite())
    }

    /// Gives back the spare room left from growing.
    pub(crate) fn shrink(&mut self) {
        with_storage!(&mut self.0, values => values.shrink_to_fit());
    }

    /// Whether every value is exactly an `f32`.
    pub(crate) fn is_single(&self) -> bool {
        !matches!(self.0, Storage::Double(_))
    }
}

/// Whether a byte holds the value exactly, its sign included.
fn is_byte(value: f64) -> bool {
    f64::from(value as u8).to_bits() == value.to_bits()
}

/// Whether an `f32` holds the value exactly, or it is missing.
fn is_single(value: f64) -> bool {
    f64::from(value as f32) == value || value.is_nan()
}

impl FromIterator<f64> for Numbers {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut numbers = Numbers::default();
        values.into_iter().for_each(|value| numbers.push(value));
        numbers
    }
}

/// The shortest text that reads back as `value`: `3`, `0.25`, `1e300`; empty where it is missing.
pub fn number_text(value: f64) -> String {
    if value.is_nan() {
        String::new()
    } else if value.fract() == 0.0 && value.abs() < 1e15 && (value != 0.0 || value.is_sign_positive()) {
        format!("{}", value as i64)
    } else {
        format!("{value:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_widens_only_when_a_value_needs_it() {
        let mut numbers: Numbers = [0.0, 255.0].into_iter().collect();
        assert!(matches!(numbers.0, Storage::Byte(_)));
        numbers.push(f64::NAN);
        assert!(matches!(numbers.0, Storage::Single(_)));
        numbers.push(0.1);
        assert!(!numbers.is_single());
        let values: Vec<f64> = numbers.iter().collect();
        assert_eq!((values[0], values[1], values[3]), (0.0, 255.0, 0.1));
        assert!(values[2].is_nan());
    }

    #[test]
    fn every_value_survives_exactly() {
        let hard = [256.0, -1.0, -0.0, 0.5, 1e300, -1e-310, 16777217.0, f64::INFINITY, f64::from(f32::MAX)];
        for value in hard {
            let numbers: Numbers = [1.0, value].into_iter().collect();
            assert_eq!(numbers.get(1).to_bits(), value.to_bits(), "{value}");
            assert_eq!(number_text(value).parse::<f64>().unwrap().to_bits(), value.to_bits(), "{value}");
        }
        assert_eq!(number_text(-7.0), "-7");
        assert_eq!(number_text(f64::NAN), "");
    }
}
