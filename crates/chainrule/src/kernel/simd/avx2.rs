//! AVX2 with FMA: 256-bit registers, 16 of them.

use super::avx512::Avx512;
use super::backend::{token, vectors};
use std::arch::x86_64::*;

token!(
    /// Proof of AVX2 and FMA.
    Avx2,
    enable = "avx2,fma",
    detected = (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"))
);

impl Avx2 {
    /// AVX-512 is found only where AVX2 is.
    pub(super) fn below(_: Avx512) -> Self {
        Self(())
    }
}

// Twelve accumulators leave four registers for the operands.
vectors! {
    Avx2, f32: [__m256; 8], __m256, __m256i, tile (6, 2);
    half(avx2) -> Avx2 = avx2;
    splat(x) = _mm256_set1_ps(x);
    load(from) = _mm256_loadu_ps(from);
    store(to, x) = _mm256_storeu_ps(to, x);
    transpose(rows) = transpose_f32(rows);
    unary {
        sqrt(a) = _mm256_sqrt_ps(a);
        neg(a) = _mm256_xor_ps(a, _mm256_set1_ps(-0.0));
        abs(a) = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
    }
    binary {
        add(a, b) = _mm256_add_ps(a, b);
        sub(a, b) = _mm256_sub_ps(a, b);
        mul(a, b) = _mm256_mul_ps(a, b);
        div(a, b) = _mm256_div_ps(a, b);
        max(a, b) = _mm256_max_ps(a, b);
        min(a, b) = _mm256_min_ps(a, b);
    }
    ternary {
        fma(a, b, c) = _mm256_fmadd_ps(a, b, c);
        fnma(a, b, c) = _mm256_fnmadd_ps(a, b, c);
    }
    compare {
        lt(a, b) = _mm256_cmp_ps::<_CMP_LT_OQ>(a, b);
        le(a, b) = _mm256_cmp_ps::<_CMP_LE_OQ>(a, b);
        eq(a, b) = _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b);
    }
    any(mask) = _mm256_movemask_ps(mask) != 0;
    select(mask, yes, no) = _mm256_blendv_ps(no, yes, mask);
    to_bits(a) = _mm256_castps_si256(a);
    from_bits(a) = _mm256_castsi256_ps(a);
    splat_bits(x) = _mm256_set1_epi32(x as i32);
    bits {
        add_bits(a, b) = _mm256_add_epi32(a, b);
        sub_bits(a, b) = _mm256_sub_epi32(a, b);
        and_bits(a, b) = _mm256_and_si256(a, b);
        or_bits(a, b) = _mm256_or_si256(a, b);
    }
    shift {
        shl_bits(a, n) = _mm256_sll_epi32(a, _mm_cvtsi32_si128(n as i32));
        shr_bits(a, n) = _mm256_srl_epi32(a, _mm_cvtsi32_si128(n as i32));
    }
}

vectors! {
    Avx2, f64: [__m256d; 4], __m256d, __m256i, tile (6, 2);
    half(avx2) -> Avx2 = avx2;
    splat(x) = _mm256_set1_pd(x);
    load(from) = _mm256_loadu_pd(from);
    store(to, x) = _mm256_storeu_pd(to, x);
    transpose(rows) = transpose_f64(rows);
    unary {
        sqrt(a) = _mm256_sqrt_pd(a);
        neg(a) = _mm256_xor_pd(a, _mm256_set1_pd(-0.0));
        abs(a) = _mm256_andnot_pd(_mm256_set1_pd(-0.0), a);
    }
    binary {
        add(a, b) = _mm256_add_pd(a, b);
        sub(a, b) = _mm256_sub_pd(a, b);
        mul(a, b) = _mm256_mul_pd(a, b);
        div(a, b) = _mm256_div_pd(a, b);
        max(a, b) = _mm256_max_pd(a, b);
        min(a, b) = _mm256_min_pd(a, b);
    }
    ternary {
        fma(a, b, c) = _mm256_fmadd_pd(a, b, c);
        fnma(a, b, c) = _mm256_fnmadd_pd(a, b, c);
    }
    compare {
        lt(a, b) = _mm256_cmp_pd::<_CMP_LT_OQ>(a, b);
        le(a, b) = _mm256_cmp_pd::<_CMP_LE_OQ>(a, b);
        eq(a, b) = _mm256_cmp_pd::<_CMP_EQ_OQ>(a, b);
    }
    any(mask) = _mm256_movemask_pd(mask) != 0;
    select(mask, yes, no) = _mm256_blendv_pd(no, yes, mask);
    to_bits(a) = _mm256_castpd_si256(a);
    from_bits(a) = _mm256_castsi256_pd(a);
    splat_bits(x) = _mm256_set1_epi64x(x as i64);
    bits {
        add_bits(a, b) = _mm256_add_epi64(a, b);
        sub_bits(a, b) = _mm256_sub_epi64(a, b);
        and_bits(a, b) = _mm256_and_si256(a, b);
        or_bits(a, b) = _mm256_or_si256(a, b);
    }
    shift {
        shl_bits(a, n) = _mm256_sll_epi64(a, _mm_cvtsi32_si128(n as i32));
        shr_bits(a, n) = _mm256_srl_epi64(a, _mm_cvtsi32_si128(n as i32));
    }
}

/// Pairs of rows, then quadruples, are interleaved inside the register's halves; the halves are exchanged last.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn transpose_f32(rows: &mut [__m256]) {
    let rows: &mut [__m256; 8] = rows.try_into().expect("as many rows as lanes");
    let mut t = *rows;
    for i in 0..4 {
        t[2 * i] = _mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
        t[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
    }
    for i in 0..2 {
        let [a, b, c, d] = [t[4 * i], t[4 * i + 1], t[4 * i + 2], t[4 * i + 3]].map(|x| _mm256_castps_pd(x));
        let quads =
            [_mm256_unpacklo_pd(a, c), _mm256_unpackhi_pd(a, c), _mm256_unpacklo_pd(b, d), _mm256_unpackhi_pd(b, d)];
        for (j, quad) in quads.into_iter().enumerate() {
            rows[4 * i + j] = _mm256_castpd_ps(quad);
        }
    }
    for j in 0..4 {
        t[j] = _mm256_permute2f128_ps::<0x20>(rows[j], rows[4 + j]);
        t[4 + j] = _mm256_permute2f128_ps::<0x31>(rows[j], rows[4 + j]);
    }
    *rows = t;
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn transpose_f64(rows: &mut [__m256d]) {
    let rows: &mut [__m256d; 4] = rows.try_into().expect("as many rows as lanes");
    let mut t = *rows;
    for i in 0..2 {
        t[2 * i] = _mm256_unpacklo_pd(rows[2 * i], rows[2 * i + 1]);
        t[2 * i + 1] = _mm256_unpackhi_pd(rows[2 * i], rows[2 * i + 1]);
    }
    for j in 0..2 {
        rows[j] = _mm256_permute2f128_pd::<0x20>(t[j], t[2 + j]);
        rows[2 + j] = _mm256_permute2f128_pd::<0x31>(t[j], t[2 + j]);
    }
}
