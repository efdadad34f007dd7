//! What the intrinsic back ends share: the token's detection and entry, and the shape of an implementation, so that
//! each back end is a list of its instructions.

/// A token type that only detection makes, and the function that enters code compiled for its instructions.
macro_rules! token {
    ($(#[$doc:meta])* $name:ident, enable = $features:literal, detected = $detected:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) struct $name(());

        impl $name {
            /// The token, where this CPU (and operating system) has the instructions.
            pub(super) fn detect() -> Option<Self> {
                $detected.then_some(Self(()))
            }

            /// Runs `job` compiled for these instructions.
            #[allow(unused_unsafe)] // safe where the target's baseline has the instructions
            pub(super) fn run<T, J>(self, job: J) -> J::Output
            where
                T: crate::scalar::Scalar,
                J: super::VectorJob<T>,
                Self: super::Simd<T>,
            {
                #[target_feature(enable = $features)]
                fn compiled<T, J, S>(job: J, simd: S) -> J::Output
                where
                    T: crate::scalar::Scalar,
                    J: super::VectorJob<T>,
                    S: super::Simd<T>,
                {
                    job.run(simd)
                }
                // SAFETY: a token exists only where `detect` found the instructions.
                unsafe { compiled(job, self) }
            }
        }
    };
}

/// `impl Simd<T> for Token` from one expression per operation, grouped by signature.
macro_rules! vectors {
    (
        $token:ty, $t:ty: [$vector:ty; $lanes:literal], $mask:ty, $bits:ty, tile $tile:expr;
        half($h:ident) -> $half:ty = $as_half:expr;
        splat($x:ident) = $splat:expr;
        load($from:ident) = $load:expr;
        store($to:ident, $v:ident) = $store:expr;
        transpose($rows:ident) = $transpose:expr;
        unary { $($u:ident($ua:ident) = $ue:expr;)* }
        binary { $($b:ident($ba:ident, $bb:ident) = $be:expr;)* }
        ternary { $($f:ident($fa:ident, $fb:ident, $fc:ident) = $fe:expr;)* }
        compare { $($c:ident($ca:ident, $cb:ident) = $ce:expr;)* }
        any($am:ident) = $any:expr;
        select($sm:ident, $sa:ident, $sb:ident) = $select:expr;
        to_bits($tx:ident) = $to_bits:expr;
        from_bits($fx:ident) = $from_bits:expr;
        splat_bits($i:ident) = $splat_bits:expr;
        bits { $($o:ident($oa:ident, $ob:ident) = $oe:expr;)* }
        shift { $($s:ident($sx:ident, $n:ident) = $se:expr;)* }
    ) => {
        // Every `unsafe` below for the same reason. SAFETY: `self` proves that the CPU has the instructions, and the
        // callers of `load` and `store` vouch for the pointers. Allowed to be superfluous where the target's baseline
        // has the instructions.
        #[allow(unused_unsafe)]
        impl super::Simd<$t> for $token {
            type Vector = $vector;
            type Mask = $mask;
            type Bits = $bits;
            const LANES: usize = $lanes;
            const TILE: (usize, usize) = $tile;
            type Half = $half;

            #[inline(always)]
            fn half(self) -> $half {
                let $h = self;
                $as_half
            }
            #[inline(always)]
            fn splat(self, $x: $t) -> $vector {
                // SAFETY: see the top.
                unsafe { $splat }
            }
            #[inline(always)]
            unsafe fn load(self, $from: *const $t) -> $vector {
                // SAFETY: see the top.
                unsafe { $load }
            }
            #[inline(always)]
            unsafe fn store(self, $to: *mut $t, $v: $vector) {
                // SAFETY: see the top.
                unsafe { $store }
            }
            #[inline(always)]
            fn transpose(self, $rows: &mut [$vector]) {
                // SAFETY: see the top.
                unsafe { $transpose }
            }
            $(
                #[inline(always)]
                fn $u(self, $ua: $vector) -> $vector {
                    // SAFETY: see the top.
                    unsafe { $ue }
                }
            )*
            $(
                #[inline(always)]
                fn $b(self, $ba: $vector, $bb: $vector) -> $vector {
                    // SAFETY: see the top.
                    unsafe { $be }
                }
            )*
            $(
                #[inline(always)]
                fn $f(self, $fa: $vector, $fb: $vector, $fc: $vector) -> $vector {
                    // SAFETY: see the top.
                    unsafe { $fe }
                }
            )*
            $(
                #[inline(always)]
                fn $c(self, $ca: $vector, $cb: $vector) -> $mask {
                    // SAFETY: see the top.
                    unsafe { $ce }
                }
            )*
            #[inline(always)]
            fn any(self, $am: $mask) -> bool {
                // SAFETY: see the top.
                unsafe { $any }
            }
            #[inline(always)]
            fn select(self, $sm: $mask, $sa: $vector, $sb: $vector) -> $vector {
                // SAFETY: see the top.
                unsafe { $select }
            }
            #[inline(always)]
            fn to_bits(self, $tx: $vector) -> $bits {
                // SAFETY: see the top.
                unsafe { $to_bits }
            }
            #[inline(always)]
            fn from_bits(self, $fx: $bits) -> $vector {
                // SAFETY: see the top.
                unsafe { $from_bits }
            }
            #[inline(always)]
            fn splat_bits(self, $i: u64) -> $bits {
                // SAFETY: see the top.
                unsafe { $splat_bits }
            }
            $(
                #[inline(always)]
                fn $o(self, $oa: $bits, $ob: $bits) -> $bits {
                    // SAFETY: see the top.
                    unsafe { $oe }
                }
            )*
            $(
                #[inline(always)]
                fn $s(self, $sx: $bits, $n: u32) -> $bits {
                    // SAFETY: see the top.
                    unsafe { $se }
                }
            )*
        }
    };
}

pub(super) use {token, vectors};
