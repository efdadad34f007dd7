//! AVX-512 Foundation: 512-bit registers, 32 of them, masks in registers of their own.

use super::backend::{token, vectors};
use std::arch::x86_64::*;

token!(
    /// Proof of AVX-512 F.
    Avx512,
    enable = "avx512f",
    detected = is_x86_feature_detected!("avx512f")
);

// 28 accumulators leave four registers for the operands.
vectors! {
    Avx512, f32: [__m512; 16], __mmask16, __m512i, tile (14, 2);
    splat(x) = _mm512_set1_ps(x);
    load(from) = _mm512_loadu_ps(from);
    store(to, x) = _mm512_storeu_ps(to, x);
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
    splat(x) = _mm512_set1_pd(x);
    load(from) = _mm512_loadu_pd(from);
    store(to, x) = _mm512_storeu_pd(to, x);
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
