//! The model file: what is written reads back, and nothing else is taken for a model.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use chainrule::{Compute, Flow};
use chainrule_data::{Column, Table, Values};
use chainrule_model::{Model, Roles, Settings, prepare};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// 60 rows: a number, a text of 12 levels, which is embedded, and a target.
fn table() -> Table {
    let column = |name: &str, values| Column { name: name.to_owned(), values };
    let levels: Vec<String> = (0..60).map(|row| format!("level {}", row % 12)).collect();
    let columns = vec![
        column("x", Values::Number((0..60).map(|row| f64::from(row * 7 % 60)).collect())),
        column("c", Values::Category(levels.iter().map(|level| Some(level.as_str())).collect())),
        column("y", Values::Number((0..60).map(|row| f64::from(row * 7 % 60) / 4.0).collect())),
    ];
    Table::new("t", columns).unwrap()
}

fn model() -> Model {
    let roles = Roles { target: "y".to_owned(), ..Roles::default() };
    let settings = Settings { hidden: vec![5], epochs: 2, ..Settings::default() };
    let prepared = prepare(&table(), None, &roles, &settings).unwrap();
    prepared.train(&mut Compute::new(1), &mut |_, _| Flow::Continue).unwrap().model
}

fn message(bytes: &[u8]) -> String {
    match Model::from_bytes(bytes, "m") {
        Ok(_) => panic!("it was taken for a model"),
        Err(error) => error.to_string(),
    }
}

/// A file taken apart, so that it can be put together wrongly, with a digest that is right.
struct Parts {
    format: String,
    card: Value,
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Parts {
    fn of(model: &Model) -> Parts {
        let bytes = model.to_bytes().unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let metadata = header.metadata().clone().unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = model.network().views().iter().map(|view| {
            let tensor = file.tensor(&view.name).unwrap();
            (view.name.clone(), tensor.dtype(), tensor.shape().to_vec(), tensor.data().to_vec())
        });
        let card = serde_json::from_str(&metadata["card"]).unwrap();
        Parts { format: metadata["format"].clone(), card, tensors: tensors.collect() }
    }

    fn bytes(&self) -> Vec<u8> {
        let card = self.card.to_string();
        let mut hash = Sha256::new();
        hash.update((card.len() as u64).to_le_bytes());
        hash.update(&card);
        for (name, _, _, data) in &self.tensors {
            hash.update(name);
            hash.update(data);
        }
        let digest = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let metadata = [("format", self.format.clone()), ("card", card), ("sha256", digest)];
        let metadata: HashMap<String, String> = metadata.map(|(key, value)| (key.to_owned(), value)).into();
        let views = self
            .tensors
            .iter()
            .map(|(name, dtype, shape, data)| (name.as_str(), TensorView::new(*dtype, shape.clone(), data).unwrap()));
        serialize(views, Some(metadata)).unwrap()
    }
}

#[test]
fn what_is_saved_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let model = model();
    model.save(&path).unwrap();
    let loaded = Model::load(&path).unwrap();
    assert_eq!(loaded.digest().unwrap(), model.digest().unwrap());
    assert_eq!(loaded.card(), model.card());
    let predict = |model: &Model| model.predict(&mut Compute::new(1), &table()).unwrap();
    assert_eq!(predict(&loaded), predict(&model));
    // The tests below change one thing in a file that is otherwise good.
    assert!(Model::from_bytes(&Parts::of(&model).bytes(), "m").is_ok());
}

/// What a version without members, temperature and held-out errors wrote.
#[test]
fn an_old_file_is_loaded() {
    let model = model();
    let mut parts = Parts::of(&model);
    parts.format = "chainrule-1".into();
    for key in ["temperature", "conformal"] {
        parts.card.as_object_mut().unwrap().remove(key);
    }
    let settings = parts.card["settings"].as_object_mut().unwrap();
    assert_eq!(settings.remove("preset"), Some(json!("plain")));
    assert!(!settings.contains_key("members"));
    let old = Model::from_bytes(&parts.bytes(), "m").unwrap();
    assert_eq!(old.card().settings, model.card().settings);
    let predict = |model: &Model| model.predict(&mut Compute::new(1), &table()).unwrap();
    assert_eq!(predict(&old), predict(&model));
    assert!(old.predict_with_interval(&mut Compute::new(1), &table(), 0.9).is_ok());
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = model().to_bytes().unwrap();
    for length in 0..bytes.len() {
        assert!(message(&bytes[..length]).starts_with("m: no chainrule model, or cut short"), "{length}");
    }
}

#[test]
fn a_file_with_any_bit_changed_is_refused() {
    let bytes = model().to_bytes().unwrap();
    // White space behind the header's JSON says nothing, and may be any.
    let header_end = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let text_end = bytes[..header_end].iter().rposition(|&byte| byte != b' ').unwrap();
    for at in (0..=text_end).chain(header_end..bytes.len()) {
        let mut altered = bytes.clone();
        altered[at] ^= 1 << (at % 8);
        assert!(message(&altered).starts_with("m: "), "{at}");
    }
}

#[test]
fn a_forged_file_is_refused() {
    let nan = f32::NAN.to_le_bytes();
    type Forge = fn(&mut Parts, [u8; 4]);
    let forgeries: [(Forge, &str); 27] = [
        (|p, _| p.format = "chainrule-4".into(), "this version reads \"chainrule-3\" and older"),
        (
            |p, _| p.card["others"] = json!({"first": 1, "numeric_embedding": null}),
            "of 1 networks those from number 1 on would be others",
        ),
        (|p, _| p.card["smoothing"] = json!(1.0), "the smoothing 1 of its labels is not between 0 and 1"),
        (|p, _| p.card["temperature"] = json!(0.0), "its temperature 0 is not above 0"),
        (|p, _| p.card["conformal"]["sizes"][0] = json!(1e9), "do not ascend"),
        (|p, _| p.card["conformal"]["rows"] = json!(0), "do not ascend"),
        (|p, _| p.card["conformal"]["sizes"][0] = json!(-1.0), "do not ascend"),
        (|p, _| p.card["conformal"]["sizes"][0] = json!(null), "its metadata is damaged"),
        (|p, _| p.card["conformal"]["whole"] = json!("yes"), "its metadata is damaged"),
        (
            |p, _| p.card["training"]["further"] = json!([p.card["training"]["report"]]),
            "5 parameters where 2 networks have 10",
        ),
        (|p, nan| p.tensors[1].3[..4].copy_from_slice(&nan), "holds NaN"),
        (|p, _| p.tensors[1].0 = "layers.9.weight".into(), "the parameter layers.0.weight is missing"),
        (|p, _| drop(p.tensors.pop()), "4 parameters where the network has 5"),
        (
            |p, _| p.tensors.push(("more".into(), Dtype::F32, vec![1], vec![0; 4])),
            "6 parameters where the network has 5",
        ),
        (|p, _| p.tensors[1].2.reverse(), "the network needs F32"),
        (|p, _| p.tensors[1].1 = Dtype::I32, "the network needs F32"),
        (|p, _| p.card["network"]["hidden"][0]["width"] = json!(1 << 20), "the network needs F32"),
        (|p, _| p.card["network"]["hidden"][0]["width"] = json!(u64::MAX), "width must be"),
        (|p, _| p.card["network"]["hidden"][0]["dropout"] = json!(1.5), "dropout must be"),
        (|p, _| p.card["network"]["inputs"] = json!(7), "does not fit its columns"),
        (|p, _| p.card["network"]["outputs"] = json!(2), "does not fit its columns or its target"),
        (|p, _| p.card["network"]["head"] = json!("bernoulli"), "does not fit its columns or its target"),
        (|p, _| p.card["target"] = json!({"classes": {"names": ["a", "a"]}}), "does not fit its columns or its target"),
        (
            |p, _| p.card["target"] = json!({"number": {"mean": 0.0, "std": 0.0}}),
            "target's mean 0 and standard deviation 0",
        ),
        (|p, _| p.card["encoder"]["columns"][1]["name"] = json!("x"), "stands twice"),
        (|p, _| p.card["encoder"]["columns"] = json!([]), "has no column"),
        (|p, _| p.card["more"] = json!(1), "unknown field `more`"),
    ];
    let model = model();
    for (number, (forge, expected)) in forgeries.into_iter().enumerate() {
        let mut parts = Parts::of(&model);
        forge(&mut parts, nan);
        let message = message(&parts.bytes());
        assert!(message.starts_with("m: ") && message.contains(expected), "{number}: {message}");
    }
}

/// A file of any other kind is told by its first bytes, however long it is.
#[cfg(unix)]
#[test]
fn an_endless_file_is_refused_at_once() {
    for path in ["/dev/zero", "/dev/urandom"] {
        assert!(Model::load(path.as_ref()).is_err(), "{path}");
    }
}
