//! The scales of numbers, against NumPy and scikit-learn.
#![allow(clippy::unwrap_used)]

mod common;

use chainrule_data::{Encoder, EncoderSettings, Features, NumericScaling, Table};
use common::table;

/// Fitted on all rows, the column `y` apart.
fn fit(table: &Table, settings: &EncoderSettings) -> Encoder {
    Encoder::fit(table, &["y"], &(0..table.rows as u32).collect::<Vec<_>>(), settings).unwrap().0
}

fn scaled(numeric_scaling: NumericScaling) -> EncoderSettings {
    EncoderSettings { numeric_scaling, ..EncoderSettings::default() }
}

/// A table of one column.
fn column(name: &str, values: impl IntoIterator<Item = f64>) -> Table {
    table(&values.into_iter().fold(format!("{name},y\n"), |text, value| text + &format!("{value:?},0\n")))
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance);
    assert!(close && found.len() == expected.len(), "{found:?} is not {expected:?}");
}

#[test]
fn robust_numbers_are_those_of_numpy() {
    // numpy.quantile: median 3.5, quartiles 2.325 and 6.
    let values = [3.0, -1.0, 4.0, 1.5, 9.0, 2.6, 5.0, 30.0];
    let encoder = fit(&column("x", values), &scaled(NumericScaling::Robust));
    let found = encoder.transform(&column("x", values.into_iter().chain([1e9, -1e300]))).unwrap().numeric;
    let expected = [
        -0.135_914_73,
        -1.133_691,
        0.135_914_73,
        -0.535_478_2,
        1.339_205_3,
        -0.244_086_03,
        0.404_437_2,
        2.769_848_8,
        3.0,
        -3.0,
    ];
    assert_close(&found, &expected, 3e-7);
}

#[test]
fn where_the_quartiles_are_equal_the_range_scales() {
    let encoder = fit(&column("x", [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0]), &scaled(NumericScaling::Robust));
    let found = encoder.transform(&column("x", [0.0, 2.0, 5.0])).unwrap().numeric;
    assert_close(&found, &[0.0, 0.772_987_96, 1.664_100_6], 2e-7);
}

#[test]
fn a_missing_number_is_the_median_and_its_indicator_is_scaled_too() {
    let all = table("x,y\n1,0\n2,0\n9,0\n,0\n");
    let encoder = fit(&all, &scaled(NumericScaling::Robust));
    let features = encoder.transform(&all).unwrap();
    // z of 1 is -1 / 4; the indicator's quartiles are 0 and 0.25: z of its 1 is 4.
    let [x, missing] = [-0.25 / (1.0_f32 + 1.0 / 144.0).sqrt(), 4.0 / (1.0_f32 + 16.0 / 9.0).sqrt()];
    let found: Vec<f32> = features.numeric;
    assert_close(&found[..4], &[x, 0.0, 0.0, 0.0], 2e-7);
    assert_close(&found[6..], &[0.0, missing], 3e-7);
}

#[test]
fn robust_scaling_holds_for_categories_and_truth_values() {
    // Levels a, b, c stand in 4, 3 and 1 of 8 rows; `two` and `flag` have 2 of the second kind.
    let all = table(
        "c,two,flag,y\na,p,false,0\na,p,false,0\na,p,false,0\na,p,false,0\nb,p,false,0\nb,p,false,0\nb,q,true,0\nc,q,true,0\n",
    );
    let settings = EncoderSettings { keep: vec!["flag".to_owned()], ..scaled(NumericScaling::Robust) };
    let encoder = fit(&all, &settings);
    assert_eq!(encoder.feature_names(), ["c = a", "c = b", "c = c", "two = q", "flag"]);
    let features = encoder.transform(&table("c,two,flag\na,p,false\nb,q,true\nc,new,\n")).unwrap();
    let (low, half, high) = (0.0, 0.493_196_96, 0.948_683_3);
    assert_close(&features.numeric[..5], &[half, low, low, 0.0, 0.0], 2e-7);
    assert_close(&features.numeric[5..10], &[-half, high, low, 2.4, 2.4], 2e-7);
    // An unseen level is 0 between -1 and 1.
    assert_close(&features.numeric[10..], &[-half, low, 1.664_100_6, 1.664_100_6, 1.664_100_6], 2e-7);
}

#[test]
fn normal_scores_are_those_of_scikit_learn() {
    // 400 distinct values and the 13 quantiles of QuantileTransformer(n_quantiles=13, output_distribution="normal").
    let values = (0..400).map(|i| f64::from((i * 37 % 401) * (i * 37 % 401)) / 100.0);
    let encoder = fit(&column("x", values), &scaled(NumericScaling::QuantileNormal));
    let found = encoder.transform(&column("x", [0.0, -5.0, 3.0, 100.0, 777.7, 1600.0, 5000.0])).unwrap().numeric;
    let end = 5.199_337_5;
    assert_close(&found, &[-end, -end, -2.002_619_3, -0.672_804_83, 0.517_985_4, end, end], 5e-7);
}

#[test]
fn equal_values_have_the_middle_of_their_ranks() {
    // scikit-learn's scores under TabM's noise, the mean of 2000 draws.
    let values = (0..300).map(|i| f64::from(u8::from(i >= 120)) + f64::from(u8::from(i >= 180)));
    let encoder = fit(&column("x", values), &scaled(NumericScaling::QuantileNormal));
    let found = encoder.transform(&column("x", [0.0, 1.0, 2.0, 0.5, f64::NAN])).unwrap().numeric;
    assert_close(&found, &[-0.8437, -0.0004, 0.8420, -0.2822, 0.0], 3e-3);
}

#[test]
fn extreme_and_constant_numbers_stay_finite_under_every_scaling() {
    let texts =
        ["x,w,k,y\n1e308,1e-310,7,0\n-1e308,3e-310,7,0\n1.7e308,2e-310,,0\n", "x,w,k,y\n5,5,,0\n5,,5,0\n6,6,,0\n"];
    for (name, scaling) in NumericScaling::ALL {
        for text in texts {
            let encoder = fit(&table(text), &scaled(scaling));
            let far = table("x,w,k\n-1.7e308,1.7e308,8\n0,0,\n,,7\n");
            for features in [encoder.transform(&table(text)).unwrap(), encoder.transform(&far).unwrap()] {
                let Features { numeric, .. } = features;
                assert!(numeric.iter().all(|value| value.is_finite()), "{name}: {numeric:?}");
            }
        }
    }
}

#[test]
fn every_scaling_refuses_infinity_and_columns_without_a_value() {
    for (name, scaling) in NumericScaling::ALL {
        let error = |text: &str| {
            let all = table(text);
            Encoder::fit(&all, &["y"], &[0, 1], &scaled(scaling)).unwrap_err().to_string()
        };
        assert!(error("x,y\ninf,0\n1,0\n").contains("row 1, column \"x\": the number is infinite"), "{name}");
        assert!(error("x,y\n,0\n,0\n").contains("no value in the training rows"), "{name}");
        assert!(error("x,y\n2,0\n2,0\n").contains("constant in the training rows"), "{name}");
    }
}

#[test]
fn only_training_rows_are_learned_from() {
    let all = table("x,c,y\n1,a,0\n2,b,0\n4,a,0\n1e6,z,0\n");
    for (_, scaling) in NumericScaling::ALL {
        let short = fit(&table("x,c,y\n1,a,0\n2,b,0\n4,a,0\n"), &scaled(scaling));
        assert_eq!(Encoder::fit(&all, &["y"], &[0, 1, 2], &scaled(scaling)).unwrap().0, short);
    }
}

#[test]
fn without_indicators_missing_and_unseen_levels_are_zeros() {
    let all = table("c,two,flag,y\na,p,true,0\nb,q,false,0\nc,,,0\n,p,true,0\n");
    let encoder = fit(&all, &EncoderSettings { category_indicator: false, ..EncoderSettings::default() });
    assert_eq!(encoder.feature_names(), ["c = a", "c = b", "c = c", "two = q", "flag"]);
    let found = encoder.transform(&table("c,two,flag\nb,q,true\n,,\nnew,new,false\n")).unwrap().numeric;
    assert_eq!(found[..5], [0.0, 1.0, 0.0, 1.0, 1.0]);
    assert_eq!(found[5..10], [0.0; 5]);
    assert_eq!(found[10..], [0.0, 0.0, 0.0, 0.0, -1.0]);
}

#[test]
fn a_column_with_the_values_of_another_is_left_out() {
    let all = table("a,t,b,u,c,y\n9,r,8,q,9,0\n1,p,1,p,1,0\n0,q,0,q,2,0\n,p,,p,,0\n-0,r,0,r,2,0\n5,p,5,s,5,0\n");
    let fitted = |rows: &[u32]| Encoder::fit(&all, &["y"], rows, &EncoderSettings::default()).unwrap();
    let (encoder, warnings) = fitted(&[1, 2, 3, 4]);
    assert_eq!(encoder.columns().iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["a", "t", "c"]);
    let notes: Vec<String> = warnings.iter().map(|w| format!("{} {}", w.column, w.message)).collect();
    assert_eq!(notes, ["b left out: it has the values of \"a\"", "u left out: it has the values of \"t\""]);
    assert_eq!(fitted(&[1, 2, 3, 4, 5]).0.columns().len(), 4, "u differs in the last row");
    let keep = EncoderSettings { keep: vec!["b".to_owned()], ..EncoderSettings::default() };
    let (encoder, _) = Encoder::fit(&all, &["y"], &[1, 2, 3, 4], &keep).unwrap();
    assert!(encoder.feature_names().contains(&"b".to_owned()));
}

#[test]
fn every_scale_survives_json_and_a_hostile_one_is_refused() {
    let rows: String =
        (0..40).map(|i| format!("{},{},2024-01-{:02},0\n", i * i, ["a", "b", "c"][i % 3], 1 + i % 28)).collect();
    let all = table(&format!("x,c,t,y\n{rows}"));
    let hostile = [
        (NumericScaling::Robust, "\"factor\":", "\"factor\":-", "cannot scale"),
        (NumericScaling::Robust, "\"flags\":[{", "\"flags\":[{\"median\":0.0,\"factor\":1.0},{", "scales for"),
        (NumericScaling::QuantileNormal, "\"quantiles\":[", "\"quantiles\":[1e9,", "in order"),
        (NumericScaling::Standard, "\"mean\":", "\"unknown\":0,\"mean\":", "did not match"),
    ];
    for (scaling, from, to, reason) in hostile {
        let encoder = fit(&all, &scaled(scaling));
        let json = serde_json::to_string(&encoder).unwrap();
        assert_eq!(serde_json::from_str::<Encoder>(&json).unwrap(), encoder);
        assert!(json.contains(from), "{from} in {json}");
        let error = serde_json::from_str::<Encoder>(&json.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn an_encoder_of_the_first_format_is_still_read() {
    let json = r#"{"columns":[
        {"name":"x","missing_rows":1,"encoding":{"number":{"scale":{"mean":2.0,"std":4.0},"missing":true}}},
        {"name":"c","missing_rows":0,"encoding":{"one_hot":{"levels":["a","b","c"],"missing":false}}}],"left_out":[]}"#;
    let encoder: Encoder = serde_json::from_str(json).unwrap();
    let found = encoder.transform(&table("x,c\n10,b\n,z\n")).unwrap().numeric;
    assert_eq!(found, [2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
}
