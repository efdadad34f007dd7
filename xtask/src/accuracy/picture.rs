//! Pictures for the page, as SVG.

use super::contender::Contender;
use super::summary::Summary;

const WIDTH: f64 = 640.0;
/// Where the labels end and the axis begins.
const LEFT: f64 = 150.0;
const RIGHT: f64 = 20.0;
const ROW: f64 = 26.0;
const TOP: f64 = 34.0;
const STYLE: &str = "<style>text{font:12px sans-serif;fill:#333}.axis{stroke:#bbb}.dot{fill:#4477aa;fill-opacity:.45}\
                     .mark{stroke:#aa3322;stroke-width:3}</style>";

/// A logarithmic axis from left to right.
struct Axis {
    least: f64,
    greatest: f64,
}

impl Axis {
    fn around(values: impl Iterator<Item = f64>) -> Axis {
        let (least, greatest) = values.fold((1.0_f64, 1.0_f64), |(a, b), value| (a.min(value), b.max(value)));
        Axis { least: least / 1.1, greatest: greatest * 1.1 }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value / self.least).ln() / (self.greatest / self.least).ln();
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    /// 1, 2 and 5 times the powers of ten that lie on it.
    fn ticks(&self) -> Vec<f64> {
        let powers = (-6..7).map(|power| 10_f64.powi(power));
        let ticks = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * power));
        ticks.filter(|tick| (self.least..=self.greatest).contains(tick)).collect()
    }

    fn svg(&self, height: f64) -> String {
        let tick = |tick: f64| {
            let x = self.place(tick);
            format!(
                "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.0}\"/>\
                 <text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>\n",
                height - 20.0,
                height - 6.0,
                // Powers of ten are not exact below one.
                format!("{tick:.6}").trim_end_matches('0').trim_end_matches('.')
            )
        };
        self.ticks().into_iter().map(tick).collect()
    }
}

fn picture(title: &str, axis: &Axis, rows: &[(String, String)]) -> String {
    let height = TOP + ROW * rows.len() as f64 + 24.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\">\n\
         {STYLE}\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"8\" y=\"18\">{title}</text>\n{}",
        axis.svg(height)
    );
    for (place, (label, marks)) in rows.iter().enumerate() {
        let y = middle(place);
        svg += &format!("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>\n{marks}", LEFT - 10.0, y + 4.0);
    }
    svg + "</svg>\n"
}

fn middle(row: usize) -> f64 {
    TOP + ROW * (row as f64 + 0.5)
}

fn dot(x: f64, row: usize) -> String {
    format!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{}\" r=\"5\"/>\n", middle(row))
}

fn mark(x: f64, row: usize) -> String {
    let y = middle(row);
    format!("<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{}\"/>\n", y - 10.0, y + 10.0)
}

/// Each peer's errors over ours, a dot for each set and a line for the geometric mean. `None` where there is no peer.
pub fn errors(summary: &Summary, ours: &Contender) -> Option<String> {
    let peers = summary.contenders.iter().filter(|&contender| contender != ours);
    let ratios: Vec<(String, Vec<f64>, f64)> = peers
        .filter_map(|peer| {
            let ratios = summary.ratios(peer, ours).into_iter().map(|(_, ratio)| ratio).collect();
            Some((peer.title(), ratios, summary.compare(peer, ours)?.ratios["all"]))
        })
        .collect();
    let axis = Axis::around(ratios.iter().flat_map(|(_, ratios, _)| ratios.iter().copied()));
    let row = |(place, (title, ratios, mean)): (usize, &(String, Vec<f64>, f64))| {
        let dots: String = ratios.iter().map(|&ratio| dot(axis.place(ratio), place)).collect();
        (title.clone(), dots + &mark(axis.place(*mean), place))
    };
    let rows: Vec<_> = ratios.iter().enumerate().map(row).collect();
    let title =
        format!("Error over that of {}: right of 1 it is worse. A dot is a set, a line their mean", ours.title());
    (!rows.is_empty()).then(|| picture(&title, &axis, &rows))
}

/// Everybody's seconds for 1000 rows.
pub fn times(summary: &Summary) -> Option<String> {
    let time = |contender: &Contender| Some((contender.title(), summary.seconds_per_1000_rows(contender)?));
    let times: Vec<(String, f64)> = summary.contenders.iter().filter_map(time).collect();
    let axis = Axis::around(times.iter().map(|(_, seconds)| *seconds));
    let row = |(place, (title, seconds)): (usize, &(String, f64))| (title.clone(), mark(axis.place(*seconds), place));
    let rows: Vec<_> = times.iter().enumerate().map(row).collect();
    (!rows.is_empty()).then(|| picture("Seconds to learn from 1000 rows, median over the sets", &axis, &rows))
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::{OURS, example};
    use super::*;

    #[test]
    fn an_axis_is_logarithmic_and_has_round_ticks() {
        let axis = Axis::around([0.1, 10.0].into_iter());
        let [low, middle, high] = [0.1, 1.0, 10.0].map(|value| axis.place(value));
        assert!((middle - low - (high - middle)).abs() < 1e-9 && low > LEFT && high < WIDTH - RIGHT);
        assert_eq!(axis.ticks().len(), 7, "{:?}", axis.ticks());
    }

    #[test]
    fn a_picture_has_a_dot_for_each_set_and_a_line_for_each_row() {
        let summary = example();
        let svg = errors(&summary, &OURS).unwrap();
        // scikit-learn met chainrule on three sets, LightGBM on one.
        assert_eq!((svg.matches("<circle").count(), svg.matches("class=\"mark\"").count()), (4, 2));
        assert!(svg.contains(">scikit-learn MLP</text>") && svg.ends_with("</svg>\n"));
        assert_eq!(times(&summary).unwrap().matches("class=\"mark\"").count(), 3);
        assert_eq!(errors(&Summary::new(&[], &[]), &OURS), None);
    }
}
