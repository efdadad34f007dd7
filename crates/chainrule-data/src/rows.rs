//! Rows by what they hold.

use crate::categories::Categories;
use crate::error::{Error, Result};
use crate::table::{MISSING_TIME, Table, Values};

/// The rows of `table` (0-based), each as often as its entry of `counts` says; without `counts`, once.
///
/// They stand in the table's order, unless some are equal: then equal rows stand together and the order depends on the
/// rows' values alone. So it makes no difference whether a row counts three times or stands there three times, nor where.
///
/// # Errors
/// [`Error::Table`] if there is not one count for each row.
pub fn counted_rows(table: &Table, counts: Option<&[u32]>) -> Result<Vec<u32>> {
    if let Some(counts) = counts.filter(|counts| counts.len() != table.rows) {
        let message = format!("{} counts for {} rows", counts.len(), table.rows);
        return Err(Error::Table { table: table.name.clone(), message });
    }
    let count = |row: u32| counts.map_or(1, |counts| counts[row as usize] as usize);
    let mut rows: Vec<u32> = (0..table.rows as u32).flat_map(|row| std::iter::repeat_n(row, count(row))).collect();
    let hashes = row_hashes(table);
    let mut order = rows.clone();
    order.sort_unstable_by_key(|&row| (hashes[row as usize], row));
    if order.windows(2).any(|pair| hashes[pair[0] as usize] == hashes[pair[1] as usize]) {
        rows = order;
    }
    Ok(rows)
}

/// A number for each row that depends on its values alone.
fn row_hashes(table: &Table) -> Vec<u64> {
    let mut hashes = vec![0; table.rows];
    for column in &table.columns {
        add(&mut hashes, &column.values);
    }
    hashes
}

fn add(hashes: &mut [u64], values: &Values) {
    let rows = hashes.iter_mut().enumerate();
    match values {
        // The sum makes one zero of both; every NaN is the missing number.
        Values::Number(numbers) => rows.for_each(|(row, hash)| {
            let value = numbers.get(row) + 0.0;
            *hash = mix(*hash, if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() });
        }),
        Values::Boolean(flags) => rows.for_each(|(row, hash)| *hash = mix(*hash, flags[row].map_or(2, u64::from))),
        Values::Time(times) => {
            rows.for_each(|(row, hash)| *hash = mix(*hash, times.micros[row].abs_diff(MISSING_TIME)));
        }
        Values::Category(Categories { codes, levels }) => {
            let of_text = |level: &String| level.bytes().fold(level.len() as u64, |hash, byte| mix(hash, byte.into()));
            let of_level: Vec<u64> = levels.iter().map(of_text).collect();
            let of_code = |code: u32| of_level.get(code as usize).copied().unwrap_or(u64::MAX);
            rows.for_each(|(row, hash)| *hash = mix(*hash, of_code(codes[row])));
        }
    }
}

/// One step of splitmix64 (Steele, Lea, Flood 2014), with the word as what is added.
fn mix(hash: u64, word: u64) -> u64 {
    let z = (hash ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Column;

    fn table(numbers: &[f64], texts: &[Option<&str>]) -> Table {
        let column = |name: &str, values| Column { name: name.to_owned(), values };
        let columns = vec![
            column("n", Values::Number(numbers.iter().copied().collect())),
            column("t", Values::Category(texts.iter().copied().collect())),
        ];
        Table::new("t", columns).unwrap()
    }

    /// The rows' values in the order of `rows`.
    fn held(table: &Table, rows: &[u32]) -> Vec<Vec<Option<String>>> {
        let row = |&row: &u32| table.columns.iter().map(|column| column.values.text(row as usize)).collect();
        rows.iter().map(row).collect()
    }

    #[test]
    fn distinct_rows_keep_their_order() {
        let table = table(&[3.0, 1.0, f64::NAN, 1.0], &[Some("a"), Some("b"), None, Some("a")]);
        assert_eq!(counted_rows(&table, None).unwrap(), [0, 1, 2, 3]);
        assert_eq!(counted_rows(&table, Some(&[1, 0, 1, 1])).unwrap(), [0, 2, 3]);
        assert!(counted_rows(&table, Some(&[1])).unwrap_err().to_string().contains("1 counts for 4 rows"));
    }

    #[test]
    fn counts_are_repetitions_wherever_the_rows_stand() {
        let once = table(&[0.0, 2.0, f64::NAN], &[Some("x"), None, Some("y")]);
        // The same rows in another order, so that levels have other codes, one of the zeros negative.
        let all = table(
            &[f64::NAN, 2.0, 0.0, f64::NAN, -0.0, 0.0],
            &[Some("y"), None, Some("x"), Some("y"), Some("x"), Some("x")],
        );
        let counted = held(&once, &counted_rows(&once, Some(&[3, 1, 2])).unwrap());
        let repeated = held(&all, &counted_rows(&all, None).unwrap());
        let zero = |text: String| if text == "-0.0" { "0".to_owned() } else { text };
        let plain = |rows: Vec<Vec<Option<String>>>| {
            rows.into_iter()
                .map(|row| row.into_iter().map(|text| text.map(zero)).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        assert_eq!(plain(counted), plain(repeated));
    }
}
