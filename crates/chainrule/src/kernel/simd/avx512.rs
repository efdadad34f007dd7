//! AVX-512 Foundation: 512-bit registers, 32 of them, masks in registers of their own.

use super::avx2::Avx2;
use super::backend::{token, vectors};
use std::arch::x86_64::*;

token!(
    /// Proof of AVX-512 F.
    Avx512,
    enable = "avx512f",
    detected = (is_x86_feature_detected!("avx512f") && Avx2::detect().is_some())
);

// 28 accumulators leave four registers for the operands.
vectors! {
    Avx512, f32: [__m512; 16], __mmask16, __m512i, tile (14, 2);
    half(avx512) -> Avx2 = Avx2::below(avx512);
    splat(x) = _mm512_set1_ps(x);
    load(from) = _mm512_loadu_ps(from);
    store(to, x) = _mm512_storeu_ps(to, x);
    transpose(rows) = transpose_f32(rows);
    unary {
        sqrt(a) = _mm512_sqrt_ps(a);
        neg(a) = _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(i32::MIN)));
        abs(a) = _mm512_abs_ps(a);
    }
    binary {
        add(a, b) = _mm512_add_ps(a, b);
        sub(a, b) = _mm512_sub_ps(a, b);
        mul(a, b) = _mm512_mul_ps(a, b);
        div(a, b) = _mm512_div_ps(a, b);
        max(a, b) = _mm512_max_ps(a, b);
        min(a, b) = _mm512_min_ps(a, b);
    }
    ternary {
        fma(a, b, c) = _mm512_fmadd_ps(a, b, c);
        fnma(a, b, c) = _mm512_fnmadd_ps(a, b, c);
    }
    compare {
        lt(a, b) = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b);
        le(a, b) = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b);
        eq(a, b) = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b);
    }
    any(mask) = mask != 0;
    select(mask, yes, no) = _mm512_mask_blend_ps(mask, no, yes);
    to_bits(a) = _mm512_castps_si512(a);
    from_bits(a) = _mm512_castsi512_ps(a);
    splat_bits(x) = _mm512_set1_epi32(x as i32);
    bits {
        add_bits(a, b) = _mm512_add_epi32(a, b);
        sub_bits(a, b) = _mm512_sub_epi32(a, b);
        and_bits(a, b) = _mm512_and_si512(a, b);
        or_bits(a, b) = _mm512_or_si512(a, b);
    }
    shift {
        shl_bits(a, n) = _mm512_sll_epi32(a, _mm_cvtsi32_si128(n as i32));
        shr_bits(a, n) = _mm512_srl_epi32(a, _mm_cvtsi32_si128(n as i32));
    }
}

vectors! {
    Avx512, f64: [__m512d; 8], __mmask8, __m512i, tile (14, 2);
    half(avx512) -> Avx2 = Avx2::below(avx512);
    splat(x) = _mm512_set1_pd(x);
    load(from) = _mm512_loadu_pd(from);
    store(to, x) = _mm512_storeu_pd(to, x);
    transpose(rows) = transpose_f64(rows);
    unary {
        sqrt(a) = _mm512_sqrt_pd(a);
        neg(a) = _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(a), _mm512_set1_epi64(i64::MIN)));
        abs(a) = _mm512_abs_pd(a);
    }
    binary {
        add(a, b) = _mm512_add_pd(a, b);
        sub(a, b) = _mm512_sub_pd(a, b);
        mul(a, b) = _mm512_mul_pd(a, b);
        div(a, b) = _mm512_div_pd(a, b);
        max(a, b) = _mm512_max_pd(a, b);
        min(a, b) = _mm512_min_pd(a, b);
    }
    ternary {
        fma(a, b, c) = _mm512_fmadd_pd(a, b, c);
        fnma(a, b, c) = _mm512_fnmadd_pd(a, b, c);
    }
    compare {
        lt(a, b) = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b);
        le(a, b) = _mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b);
        eq(a, b) = _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b);
    }
    any(mask) = mask != 0;
    select(mask, yes, no) = _mm512_mask_blend_pd(mask, no, yes);
    to_bits(a) = _mm512_castpd_si512(a);
    from_bits(a) = _mm512_castsi512_pd(a);
    splat_bits(x) = _mm512_set1_epi64(x as i64);
    bits {
        add_bits(a, b) = _mm512_add_epi64(a, b);
        sub_bits(a, b) = _mm512_sub_epi64(a, b);
        and_bits(a, b) = _mm512_and_si512(a, b);
        or_bits(a, b) = _mm512_or_si512(a, b);
    }
    shift {
        shl_bits(a, n) = _mm512_sll_epi64(a, _mm_cvtsi32_si128(n as i32));
        shr_bits(a, n) = _mm512_srl_epi64(a, _mm_cvtsi32_si128(n as i32));
    }
}

/// Pairs of rows, then quadruples, are interleaved inside the register's quarters; the quarters are exchanged last.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_f32(rows: &mut [__m512]) {
    let rows: &mut [__m512; 16] = rows.try_into().expect("as many rows as lanes");
    let mut t = *rows;
    for i in 0..8 {
        t[2 * i] = _mm512_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
    }
    for i in 0..4 {
        let [a, b, c, d] = [t[4 * i], t[4 * i + 1], t[4 * i + 2], t[4 * i + 3]].map(|x| _mm512_castps_pd(x));
        let quads =
            [_mm512_unpacklo_pd(a, c), _mm512_unpackhi_pd(a, c), _mm512_unpacklo_pd(b, d), _mm512_unpackhi_pd(b, d)];
        for (j, quad) in quads.into_iter().enumerate() {
            rows[4 * i + j] = _mm512_castpd_ps(quad);
        }
    }
    for j in 0..4 {
        let quarters =
            exchange_quarters([rows[j], rows[4 + j], rows[8 + j], rows[12 + j]].map(|x| _mm512_castps_pd(x)));
        for (i, quarter) in quarters.into_iter().enumerate() {
            t[4 * i + j] = _mm512_castpd_ps(quarter);
        }
    }
    *rows = t;
}

#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_f64(rows: &mut [__m512d]) {
    let rows: &mut [__m512d; 8] = rows.try_into().expect("as many rows as lanes");
    let mut t = *rows;
    for i in 0..4 {
        t[2 * i] = _mm512_unpacklo_pd(rows[2 * i], rows[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_pd(rows[2 * i], rows[2 * i + 1]);
    }
    for j in 0..2 {
        let quarters = exchange_quarters([t[j], t[2 + j], t[4 + j], t[6 + j]]);
        for (i, quarter) in quarters.into_iter().enumerate() {
            rows[2 * i + j] = quarter;
        }
    }
}

/// The 4 x 4 matrix of the registers' quarters, transposed.
#[inline]
#[target_feature(enable = "avx512f")]
fn exchange_quarters([a, b, c, d]: [__m512d; 4]) -> [__m512d; 4] {
    let [even_ab, odd_ab] = [_mm512_shuffle_f64x2::<0x88>(a, b), _mm512_shuffle_f64x2::<0xdd>(a, b)];
    let [even_cd, odd_cd] = [_mm512_shuffle_f64x2::<0x88>(c, d), _mm512_shuffle_f64x2::<0xdd>(c, d)];
    [
        _mm512_shuffle_f64x2::<0x88>(even_ab, even_cd),
        _mm512_shuffle_f64x2::<0x88>(odd_ab, odd_cd),
        _mm512_shuffle_f64x2::<0xdd>(even_ab, even_cd),
        _mm512_shuffle_f64x2::<0xdd>(odd_ab, odd_cd),
    ]
}
