//! Random numbers by counter: a draw is a function of its key and its index, never of who asks or in which order.

/// Splits keys, so that shuffles, dropout masks and initial weights never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// The key of a seed.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x6a09_e667_f3bc_c908))
    }

    /// A key of its own for part `index` of what this key is for.
    #[must_use]
    pub fn part(self, index: u64) -> Self {
        Self(mix(self.0 ^ mix(index.wrapping_add(0x3c6e_f372_fe94_f82b))))
    }

    /// 64 random bits, number `index`.
    pub fn bits(self, index: u64) -> u64 {
        mix(self.0.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// Uniform on [0, 1), a multiple of 2^-53.
    pub fn uniform(self, index: u64) -> f64 {
        (self.bits(index) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform on 0..bound. The bias of the multiply-shift method is below bound / 2^64.
    pub fn below(self, index: u64, bound: u64) -> u64 {
        ((u128::from(self.bits(index)) * u128::from(bound)) >> 64) as u64
    }

    /// Puts `items` into random order (Fisher-Yates).
    pub fn shuffle<T>(self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64, i as u64 + 1) as usize);
        }
    }

    /// The key as 32 bits, for [`mask_bits`].
    pub(crate) fn short(self) -> u32 {
        (self.0 >> 32) as u32 ^ self.0 as u32
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit changes every output bit with probability 1/2.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// 32 random bits for element `index`, cheap enough to draw one for each unit of a layer (the finaliser of MurmurHash3
/// on an odd multiple of the index).
#[inline(always)]
pub(crate) fn mask_bits(key: u32, index: u32) -> u32 {
    let mut x = index.wrapping_mul(0x9e37_79b9) ^ key;
    x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
    x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_has_the_moments_of_the_uniform_distribution() {
        let key = Key::new(7);
        let n = 200_000;
        let mean = (0..n).map(|i| key.uniform(i)).sum::<f64>() / n as f64;
        let square = (0..n).map(|i| key.uniform(i).powi(2)).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 3e-3 && (square - 1.0 / 3.0).abs() < 3e-3, "{mean} {square}");
    }

    #[test]
    fn shuffle_is_a_permutation_with_every_place_equally_likely() {
        let mut counts = [[0u32; 5]; 5];
        for seed in 0..5_000 {
            let mut items = [0usize, 1, 2, 3, 4];
            Key::new(seed).shuffle(&mut items);
            (0..5).for_each(|place| counts[items[place]][place] += 1);
        }
        assert!(counts.iter().flatten().all(|&c| (850..1150).contains(&c)), "{counts:?}");
    }

    #[test]
    fn mask_bits_are_balanced_in_every_bit() {
        let key = Key::new(3).short();
        for bit in 0..32 {
            let ones: u32 = (0..100_000).map(|i| mask_bits(key, i) >> bit & 1).sum();
            assert!((49_000..51_000).contains(&ones), "bit {bit}: {ones}");
        }
    }
}
