//! No bytes, however strange, make a reader panic.
#![allow(clippy::unwrap_used)]

mod common;

use chainrule_data::{ReadOptions, write_table};
use common::{read, table};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// A valid file of each format.
fn valid_files() -> Vec<Vec<u8>> {
    let rows: String =
        (0..50).map(|i| format!("{i},t{},2024-01-0{},{},{}.5\n", i % 5, i % 9 + 1, i % 2 == 0, i)).collect();
    let table = table(&format!("i,c,t,b,x\n{rows}"));
    let folder = tempfile::tempdir().unwrap();
    let bytes = |name: &str| {
        let path = folder.path().join(name);
        write_table(&table, &path).unwrap();
        std::fs::read(path).unwrap()
    };
    ["t.csv", "t.csv.gz", "t.parquet", "t.arrow"].map(bytes).to_vec()
}

const STARTS: [&[u8]; 6] = [b"", b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(
        start in prop::sample::select(&STARTS[..]),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let _ = read(&[start, &bytes].concat(), &ReadOptions::default());
    }

    #[test]
    fn random_text_never_panics(text in "[a-c0-9,;'\"\n\r\t .é?-]{0,200}") {
        let _ = read(text.as_bytes(), &ReadOptions::default());
    }
}

#[test]
fn damaged_files_never_panic() {
    for file in valid_files() {
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = TestRunner::new(config);
        let damage = prop::collection::vec((0..file.len(), any::<u8>()), 1..6);
        runner
            .run(&(damage, 0..=file.len()), |(damage, length)| {
                let mut bytes = file.clone();
                damage.iter().for_each(|&(at, byte)| bytes[at] = byte);
                let _ = read(&bytes, &ReadOptions::default());
                let _ = read(&bytes[..length], &ReadOptions::default());
                Ok(())
            })
            .unwrap();
    }
}
