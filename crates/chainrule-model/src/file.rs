//! The model file: safetensors with the parameters under their names, everything else as one JSON string in the metadata,
//! and a digest of both.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use chainrule::{Head, Network, NetworkSpec};
use chainrule_data::write_atomically;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use sha2::{Digest, Sha256};

use crate::conformal::Conformal;
use crate::error::{Error, Result};
use crate::model::{Card, Model};

/// Changes when older readers could not understand a newer file. A file of the first format holds one network, one of the
/// second several that are all alike.
const FORMAT: &str = "chainrule-3";
const READABLE: [&str; 3] = ["chainrule-1", "chainrule-2", FORMAT];

/// Names in the file's metadata.
const FORMAT_KEY: &str = "format";
const CARD_KEY: &str = "card";
const DIGEST_KEY: &str = "sha256";

/// The same file with the entries of its header in the order of their names: the library writes those of the metadata in an order that
/// differs from run to run, and equal models should be equal files. A header is its length in eight bytes and JSON, filled up with spaces.
fn with_sorted_header(bytes: &[u8]) -> Result<Vec<u8>> {
    let cut = || broken("model", "a header that is cut short");
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
    let (header, tensors) = rest.split_at_checked(u64::from_le_bytes(*length) as usize).ok_or_else(cut)?;
    let header: serde_json::Value = serde_json::from_slice(header).map_err(|e| broken("model", e))?;
    let mut sorted = header.to_string().into_bytes();
    sorted.resize(sorted.len().next_multiple_of(8), b' ');
    Ok([&(sorted.len() as u64).to_le_bytes()[..], &sorted, tensors].concat())
}

impl Model {
    /// The file's content: the same bytes for the same model.
    ///
    /// # Errors
    /// [`Error::ModelFile`] if the metadata cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let card = self.card_json()?;
        let tensors = self.tensors();
        let metadata = HashMap::from([
            (FORMAT_KEY.to_owned(), FORMAT.to_owned()),
            (DIGEST_KEY.to_owned(), digest(&card, &tensors)),
            (CARD_KEY.to_owned(), card),
        ]);
        let views: Result<Vec<_>, _> = tensors
            .iter()
            .map(|t| Ok((t.name.as_str(), TensorView::new(Dtype::F32, t.shape.to_vec(), &t.bytes)?)))
            .collect();
        views
            .and_then(|views| serialize(views, Some(metadata)))
            .map_err(|e: safetensors::SafeTensorError| broken("model", e))
            .and_then(|bytes| with_sorted_header(&bytes))
    }

    /// Writes the model to a file, which appears whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written; what was there before is then still there.
    pub fn save(&self, path: &Path) -> Result<()> {
        let bytes = self.to_bytes()?;
        Ok(write_atomically(path, |out| out.write_all(&bytes))?)
    }

    /// SHA-256 over parameters and metadata, in hexadecimal: equal models have equal digests, whatever machine and number
    /// of threads made them.
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes).
    pub fn digest(&self) -> Result<String> {
        Ok(digest(&self.card_json()?, &self.tensors()))
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// If the file cannot be read, is no model, is damaged or altered, or comes from a newer version.
    pub fn load(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let bytes = read(path).map_err(|source| chainrule_data::Error::Io { file: name.clone(), source })?;
        Self::from_bytes(&bytes, &name)
    }

    /// A model from a file's content; `name` names it in messages.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self> {
        let no_model =
            |e: safetensors::SafeTensorError| broken(name, format!("no chainrule model, or cut short ({e})"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(no_model)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let entry = |key: &str| metadata.get(key).ok_or_else(|| broken(name, "safetensors, but no chainrule model"));
        let format = entry(FORMAT_KEY)?;
        if !READABLE.contains(&format.as_str()) {
            return Err(broken(
                name,
                format!("format {format:?}, this version reads {FORMAT:?} and older: use another chainrule"),
            ));
        }
        let file = SafeTensors::deserialize(bytes).map_err(no_model)?;
        let json = entry(CARD_KEY)?;
        let card: Card =
            serde_json::from_str(json).map_err(|e| broken(name, format!("its metadata is damaged ({e})")))?;
        check_card(&card).map_err(|message| broken(name, message))?;
        let tensors = read_tensors(&card, &file).map_err(|message| broken(name, message))?;
        if &digest(json, &tensors) != entry(DIGEST_KEY)? {
            return Err(broken(name, "damaged or altered: its digest does not fit its content"));
        }
        let mut rest = tensors.as_slice();
        let member = |number| {
            let spec = card.network_of(number);
            let (own, others) = rest.split_at(spec.parameter_shapes().len());
            rest = others;
            network(&spec, own, name)
        };
        let members = (0..card.members()).map(member).collect::<Result<_>>()?;
        Ok(Self { card, members })
    }

    fn card_json(&self) -> Result<String> {
        serde_json::to_string(&self.card).map_err(|e| broken("model", e))
    }

    fn tensors(&self) -> Vec<Tensor> {
        let of = |(member, network): (usize, &Network<f32>)| -> Vec<Tensor> {
            let prefix = prefix(member, self.members.len());
            let views = network.views().iter().enumerate();
            let tensor = |(i, view): (usize, &chainrule::View)| Tensor {
                name: format!("{prefix}{}", view.name),
                shape: [view.rows, view.cols],
                bytes: network.parameter(i).iter().flat_map(|x| x.to_le_bytes()).collect(),
            };
            views.map(tensor).collect()
        };
        self.members.iter().enumerate().flat_map(of).collect()
    }
}

/// What stands before the names of the parameters of one of `members` networks.
fn prefix(member: usize, members: usize) -> String {
    if members == 1 { String::new() } else { format!("members.{member}.") }
}

/// A network with the parameters of a file, whose shapes have been compared.
fn network(spec: &NetworkSpec, tensors: &[Tensor], name: &str) -> Result<Network<f32>> {
    let mut network = Network::<f32>::new(spec, 0)?;
    for (i, tensor) in tensors.iter().enumerate() {
        let values: Vec<f32> =
            tensor.bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        if let Some(value) = values.iter().find(|x| !x.is_finite()) {
            return Err(broken(name, format!("the parameter {} holds {value}", tensor.name)));
        }
        network.set_parameter(i, &values)?;
    }
    Ok(network)
}

/// The bytes of a file; only the first where they tell that it is no safetensors file but a table, say, of many gigabytes.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    const LONGEST_HEADER: u64 = 100_000_000;
    let mut file = File::open(path)?;
    let mut bytes = vec![];
    file.by_ref().take(8).read_to_end(&mut bytes)?;
    let header = <[u8; 8]>::try_from(bytes.as_slice()).map(u64::from_le_bytes);
    if header.is_ok_and(|length| (1..=LONGEST_HEADER).contains(&length)) {
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// One parameter as it stands in a file: row-major, little endian.
struct Tensor {
    name: String,
    shape: [usize; 2],
    bytes: Vec<u8>,
}

fn broken(name: &str, message: impl ToString) -> Error {
    Error::ModelFile { file: name.to_owned(), message: message.to_string() }
}

fn digest(card: &str, tensors: &[Tensor]) -> String {
    let mut hash = Sha256::new();
    hash.update((card.len() as u64).to_le_bytes());
    hash.update(card);
    for tensor in tensors {
        hash.update(tensor.name.as_bytes());
        hash.update(&tensor.bytes);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the parts of the metadata fit each other.
fn check_card(card: &Card) -> Result<(), String> {
    card.network.validate().map_err(|e| e.to_string())?;
    if let Some(others) = &card.others {
        if !(1..card.members()).contains(&others.first) {
            return Err(format!(
                "of {} networks those from number {} on would be others",
                card.members(),
                others.first
            ));
        }
        card.network_of(others.first).validate().map_err(|e| e.to_string())?;
    }
    card.target.check()?;
    if card.range.is_some_and(|[least, most]| least.is_nan() || most.is_nan() || least > most) {
        return Err("the range of its predictions is empty".into());
    }
    if let Some(smoothing) = card.smoothing.filter(|e| !(*e > 0.0 && *e < 1.0)) {
        return Err(format!("the smoothing {smoothing} of its labels is not between 0 and 1"));
    }
    if let Some(temperature) = card.temperature.filter(|t| !(*t > 0.0 && t.is_finite())) {
        return Err(format!("its temperature {temperature} is not above 0"));
    }
    card.conformal.as_ref().map_or(Ok(()), Conformal::check)?;
    let embedded: Vec<usize> = card.encoder.embedded().iter().map(|e| e.levels).collect();
    let levels: Vec<usize> = card.network.embeddings.iter().map(|e| e.levels).collect();
    let classes = card.target.classes().len();
    let head = &card.network.head;
    let outputs = match head {
        Head::Bernoulli => classes == 2 && card.network.outputs == 1,
        head if head.is_for_classes() => classes >= 2 && card.network.outputs == head.outputs(classes),
        _ => classes == 0 && card.network.outputs == head.outputs(1),
    };
    if card.network.inputs != card.encoder.numeric_width() || embedded != levels || !outputs {
        return Err("its network does not fit its columns or its target".into());
    }
    Ok(())
}

/// The tensors that the networks need. Shapes are compared before anything of their size is made.
fn read_tensors(card: &Card, file: &SafeTensors<'_>) -> Result<Vec<Tensor>, String> {
    let members = card.members();
    let shapes: Vec<_> = (0..members).map(|member| card.network_of(member).parameter_shapes()).collect();
    let count = shapes.iter().map(Vec::len).sum::<usize>();
    if file.len() != count {
        let networks = if members == 1 { "the network has".to_owned() } else { format!("{members} networks have") };
        return Err(format!("{} parameters where {networks} {count}", file.len()));
    }
    let read = |(name, rows, cols): (String, usize, usize)| {
        let view = file.tensor(&name).map_err(|_| format!("the parameter {name} is missing"))?;
        if view.dtype() != Dtype::F32 || view.shape() != [rows, cols] {
            let found = format!("{:?} {:?}", view.dtype(), view.shape());
            return Err(format!("the parameter {name} is {found}, the network needs F32 [{rows}, {cols}]"));
        }
        Ok(Tensor { name, shape: [rows, cols], bytes: view.data().to_vec() })
    };
    let named = |member: usize| {
        let prefix = prefix(member, members);
        shapes[member].iter().map(move |(name, rows, cols)| (format!("{prefix}{name}"), *rows, *cols))
    };
    (0..members).flat_map(named).map(read).collect()
}
