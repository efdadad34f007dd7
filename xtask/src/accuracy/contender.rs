//! Who competes.

use clap::ValueEnum;

/// The other libraries, those that take the least time first.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Peer {
    Sklearn,
    #[value(name = "lightgbm")]
    LightGbm,
    #[value(name = "xgboost")]
    XgBoost,
    #[value(name = "catboost")]
    CatBoost,
    #[value(name = "realmlp-td-s")]
    RealMlpTdS,
    #[value(name = "realmlp-td")]
    RealMlpTd,
    #[value(name = "tabm")]
    TabM,
}

impl Peer {
    fn title(self) -> &'static str {
        match self {
            Self::Sklearn => "scikit-learn MLP",
            Self::LightGbm => "LightGBM",
            Self::XgBoost => "XGBoost",
            Self::CatBoost => "CatBoost",
            Self::RealMlpTdS => "RealMLP-TD-S",
            Self::RealMlpTd => "RealMLP-TD",
            Self::TabM => "TabM",
        }
    }

    /// As it stands in the results and on the peers' command line.
    pub fn key(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Contender {
    /// With its defaults, or with a preset.
    Chainrule(Option<String>),
    Peer(Peer),
}

const CHAINRULE: &str = "chainrule";

impl Contender {
    /// As it stands in the results.
    pub fn key(&self) -> String {
        match self {
            Self::Chainrule(None) => CHAINRULE.to_owned(),
            Self::Chainrule(Some(preset)) => format!("{CHAINRULE} {preset}"),
            Self::Peer(peer) => peer.key(),
        }
    }

    /// What stands in the results; `None` for a contender that there is no more.
    pub fn from_key(key: &str) -> Option<Self> {
        if key == CHAINRULE {
            return Some(Self::Chainrule(None));
        }
        if let Some(preset) = key.strip_prefix(CHAINRULE) {
            return Some(Self::Chainrule(Some(preset.trim().to_owned())));
        }
        Peer::value_variants().iter().find(|peer| peer.key() == key).map(|&peer| Self::Peer(peer))
    }

    pub fn title(&self) -> String {
        if let Self::Peer(peer) = self { peer.title().to_owned() } else { self.key() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contender_is_found_by_its_key() {
        let peers = Peer::value_variants().iter().map(|&peer| Contender::Peer(peer));
        let ours = [Contender::Chainrule(None), Contender::Chainrule(Some("accurate".into()))];
        for contender in peers.chain(ours) {
            assert_eq!(Contender::from_key(&contender.key()), Some(contender));
        }
        assert_eq!(Contender::Peer(Peer::RealMlpTdS).key(), "realmlp-td-s");
        assert_eq!(Contender::from_key("magic"), None);
    }
}
