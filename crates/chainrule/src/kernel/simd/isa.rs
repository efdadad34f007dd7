//! The choice of an instruction set, made once and carried as a value.

use super::VectorJob;
#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};
use std::fmt;
use std::str::FromStr;

/// An instruction set that this CPU has: `avx512`, `avx2` (with FMA), `neon` or `portable`.
///
/// The value is the proof: it comes only from [`detect`](Isa::detect), [`available`](Isa::available) or a checked
/// parse. Results are the same bits on each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Token);

/// The token of the back end to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    Portable(Portable),
}

/// A method that runs a job over numbers of one type.
macro_rules! run {
    ($name:ident, $t:ty) => {
        /// Runs `job` compiled for this instruction set.
        pub(crate) fn $name<J: VectorJob<$t>>(self, job: J) -> J::Output {
            match self.0 {
                #[cfg(target_arch = "x86_64")]
                Token::Avx512(simd) => simd.run(job),
                #[cfg(target_arch = "x86_64")]
                Token::Avx2(simd) => simd.run(job),
                #[cfg(target_arch = "aarch64")]
                Token::Neon(simd) => simd.run(job),
                Token::Portable(simd) => job.run(simd),
            }
        }
    };
}

impl Isa {
    run!(run_f32, f32);
    run!(run_f64, f64);

    /// The fastest that this CPU has.
    pub fn detect() -> Self {
        Self::available()[0]
    }

    /// All that this CPU has, the fastest first; `portable` is always there.
    pub fn available() -> Vec<Self> {
        let tokens = [
            #[cfg(target_arch = "x86_64")]
            Avx512::detect().map(Token::Avx512),
            #[cfg(target_arch = "x86_64")]
            Avx2::detect().map(Token::Avx2),
            #[cfg(target_arch = "aarch64")]
            Neon::detect().map(Token::Neon),
            Some(Token::Portable(Portable)),
        ];
        tokens.into_iter().flatten().map(Isa).collect()
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self.0 {
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(_) => "avx2",
            #[cfg(target_arch = "aarch64")]
            Token::Neon(_) => "neon",
            Token::Portable(_) => "portable",
        })
    }
}

/// No instruction set of that name on this CPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this CPU has no instruction set `{name}`; choose one of: {available}")]
pub struct UnknownIsa {
    name: String,
    available: String,
}

impl FromStr for Isa {
    type Err = UnknownIsa;

    /// The instruction set of that name, if this CPU has it.
    fn from_str(name: &str) -> Result<Self, UnknownIsa> {
        let available = Self::available();
        let found = available.iter().find(|isa| isa.to_string() == name);
        found.copied().ok_or_else(|| UnknownIsa {
            name: name.to_owned(),
            available: available.iter().map(Self::to_string).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Isa;

    #[test]
    fn every_available_name_parses_back() {
        for isa in Isa::available() {
            assert_eq!(isa.to_string().parse(), Ok(isa));
        }
        assert_eq!(Isa::detect(), Isa::available()[0]);
        assert_eq!(Isa::available().last().map(Isa::to_string).as_deref(), Some("portable"));
    }

    #[test]
    fn a_missing_instruction_set_is_refused_with_the_choices() {
        for name in ["", "AVX2", "sse2", "avx1024"] {
            let refused = name.parse::<Isa>().expect_err(name).to_string();
            assert!(refused.contains(&format!("`{name}`")) && refused.contains("portable"), "{refused}");
        }
    }
}
