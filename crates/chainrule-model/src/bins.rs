//! Where a piecewise-linear embedding cuts a number.

/// Edges of at most `bins` bins of the values, each with the weight of its row. A value that weighs more than a bin's share is an
/// edge of its own, and between the other edges lie equal shares of the rest: a number that is mostly 0 is cut where it is not.
/// The least and the greatest value are edges; a single one if all values are equal. Rows without weight are as if they were not
/// there: if there are no others, there are no edges.
pub(crate) fn edges(mut values: Vec<(f32, f64)>, bins: usize) -> Vec<f64> {
    values.retain(|(_, weight)| *weight > 0.0);
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let distinct: Vec<(f64, f64)> = values
        .chunk_by(|a, b| a.0 == b.0)
        .map(|equal| (f64::from(equal[0].0), equal.iter().map(|(_, weight)| weight).sum()))
        .collect();
    if distinct.len() <= bins + 1 {
        return distinct.into_iter().map(|(value, _)| value).collect();
    }
    let total: f64 = distinct.iter().map(|(_, weight)| weight).sum();
    let is_frequent = |weight: f64| weight * bins as f64 > total;
    let frequent: Vec<f64> = distinct.iter().map(|(_, weight)| *weight).filter(|weight| is_frequent(*weight)).collect();
    let share = (total - frequent.iter().sum::<f64>()) / (bins - frequent.len()) as f64;
    let ends = [distinct[0].0, distinct[distinct.len() - 1].0];
    let mut since = 0.0;
    let mut edges = vec![];
    for (value, weight) in distinct {
        since += weight;
        let (frequent, full) = (is_frequent(weight), since >= share);
        if frequent || full || ends.contains(&value) {
            edges.push(value);
        }
        if frequent {
            since = 0.0;
        } else if full {
            since -= share;
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = f32>, bins: usize) -> Vec<f64> {
        edges(values.into_iter().map(|value| (value, 1.0)).collect(), bins)
    }

    #[test]
    fn few_values_are_all_edges() {
        assert_eq!(of([3.0, 1.0, 2.0, 1.0], 48), [1.0, 2.0, 3.0]);
        assert_eq!(of([7.0; 9], 48), [7.0]);
    }

    #[test]
    fn many_values_are_cut_into_equal_shares() {
        assert_eq!(of((0..1001).map(|i| i as f32), 4), [0.0, 250.0, 500.0, 750.0, 1000.0]);
    }

    /// Quantiles over all rows would leave 3 of 10 bins to the values that differ.
    #[test]
    fn a_frequent_value_takes_one_edge() {
        let mostly_zero = (0..1000).map(|i| (i as f32 - 700.0).max(0.0));
        let edges = of(mostly_zero, 10);
        assert_eq!((edges.len(), edges[0], edges[9]), (10, 0.0, 299.0));
        edges.windows(2).for_each(|pair| assert!((33.0..=34.0).contains(&(pair[1] - pair[0])), "{edges:?}"));
    }

    #[test]
    fn there_are_never_more_bins_than_asked_for() {
        for (rows, frequent) in [(500, 3), (997, 11), (5000, 7), (300, 299)] {
            for bins in [1, 2, 5, 48, 128, 256] {
                let edges = of((0..rows).map(|i| if i % frequent == 0 { (i % 5) as f32 } else { i as f32 }), bins);
                assert!(
                    (2..=bins + 1).contains(&edges.len()) && edges.is_sorted(),
                    "{rows} {frequent} {bins}: {edges:?}"
                );
            }
        }
    }

    #[test]
    fn a_weight_is_so_many_rows() {
        let weights = [1.0, 3.0, 2.0, 9.0];
        let weighted: Vec<(f32, f64)> = (0..400u16).map(|i| (f32::from(i), weights[usize::from(i % 4)])).collect();
        let repeated = weighted.iter().flat_map(|&(value, weight)| std::iter::repeat_n(value, weight as usize));
        assert_eq!(edges(weighted.clone(), 20), of(repeated, 20));
    }

    #[test]
    fn rows_without_weight_do_not_count() {
        let with_weight = |weight: f64| (0..300u16).map(move |i| (f32::from(i), weight));
        assert!(edges(with_weight(0.0).collect(), 48).is_empty());
        let some: Vec<_> = with_weight(0.0).chain([(7.5, 1.0), (400.0, 2.0)]).collect();
        assert_eq!(edges(some, 48), [7.5, 400.0]);
    }
}
