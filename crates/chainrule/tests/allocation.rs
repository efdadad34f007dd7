//! Buffers are made once for a training: no step allocates.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use chainrule::{
    Activation, Compute, Dataset, Embedding, Ensemble, EnsembleKind, Event, Flow, Head, Hidden, Inputs, Matrix,
    Network, NetworkSpec, NumericEmbedding, Predictor, TrainSettings, train,
};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test, since the count is the program's.
#[test]
fn steps_and_predictions_allocate_nothing() {
    let hidden = |activation| Hidden { dropout: 0.2, ..Hidden::new(300, activation) };
    let parametric = Hidden { parametric: true, ..hidden(Activation::Gelu) };
    let plain = NetworkSpec::new(40, vec![hidden(Activation::Relu), parametric], 3, Head::categorical());
    let spec = NetworkSpec {
        numeric_embedding: Some(NumericEmbedding::Periodic {
            features: (0..30).collect(),
            frequencies: 16,
            sigma: 0.1,
        }),
        embeddings: vec![Embedding { levels: 9, dimension: 4 }],
        scale: true,
        ..plain
    };
    let full = Some(Ensemble { members: 3, kind: EnsembleKind::Full });
    for spec in [spec.clone(), NetworkSpec { ensemble: full, ..spec }] {
        nothing_is_allocated(&spec);
    }
}

fn nothing_is_allocated(spec: &NetworkSpec) {
    let rows = 1_000;
    let x: Vec<f32> = (0..rows * 40).map(|i| (i % 13) as f32 / 13.0).collect();
    let codes: Vec<u32> = (0..rows as u32).map(|i| i % 9).collect();
    let y: Vec<f32> = (0..rows).map(|i| (i % 3) as f32).collect();
    let weights = vec![0.5; rows];
    let inputs = Inputs { rows, width: 40, numeric: Matrix::Dense(&x), categories: 1, codes: &codes, offset: None };
    let data = Dataset { weights: Some(&weights), ..Dataset::new(inputs, &y) };
    let mut compute = Compute::new(2);
    let mut network = Network::<f32>::new(spec, 1).unwrap();
    let clip_norm = spec.ensemble.map(|_| 0.1);
    let settings = TrainSettings { epochs: 3, batch: 150, clip_norm, ..TrainSettings::default() };
    let (mut first, mut counted) = (0, 0);
    train(&mut network, &mut compute, &data, Some(&data), &settings, &mut |event| {
        match event {
            Event::Batch { batch: 1, .. } => first = ALLOCATIONS.load(Ordering::Relaxed),
            Event::Batch { batch: 7, .. } => {
                assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), first, "a step has allocated");
                counted += 1;
            }
            _ => {}
        }
        Flow::Continue
    })
    .unwrap();
    assert_eq!(counted, 3);

    let mut predictor = Predictor::new(&network, rows, &compute);
    let mut out = vec![0.0; rows * 3];
    predictor.predict(&mut compute, &inputs, &mut out).unwrap();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    predictor.predict(&mut compute, &inputs, &mut out).unwrap();
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), before, "a prediction has allocated");
}
