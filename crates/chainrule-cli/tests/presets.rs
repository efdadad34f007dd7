//! Every preset from the command line, small; and what an ensemble cannot do.
#![allow(clippy::unwrap_used)]

mod common;

use common::Folder;

#[test]
fn every_preset_makes_a_model_that_every_command_takes() {
    for preset in ["plain", "realmlp", "realmlp-s", "tabm", "tabm-mini"] {
        let folder = Folder::new();
        let flags = "--target y --ignore z,n --hidden 12 --epochs 2 --batch 16";
        let said = folder.succeed(&format!("train train.csv --preset {preset} {flags} --test train.csv"));
        assert!(said.contains("test        accuracy"), "{preset}: {said}");
        let predictions = folder.succeed("predict model.safetensors train.csv");
        assert_eq!(predictions.lines().count(), 61, "{preset}");
        assert!(folder.succeed("evaluate model.safetensors train.csv").contains("accuracy"), "{preset}");
        let certificate = folder.succeed("check model.safetensors train.csv --rows 5 --parameters 40");
        assert!(certificate.contains("every derivative compared is right"), "{preset}: {certificate}");
        let ensemble = preset.starts_with("tabm");
        let said = folder.succeed("inspect model.safetensors");
        assert_eq!(said.contains("32 x "), ensemble, "{said}");
        let explained = folder.run("explain-weight model.safetensors train.csv --row 1 --layer 1 --from 1 --to 1");
        assert_eq!(explained.status.success(), !ensemble, "{preset}");
        if ensemble {
            let message = String::from_utf8(explained.stderr).unwrap();
            assert!(message.contains("its members share it"), "{message}");
        }
    }
}
