// Polynomials, lowest power first. Where nothing else is said, each was fitted
// by the Remez algorithm to the relative error of the function that it serves,
// then rounded.
#ifndef QUERN_COMPILER_BUILTINS_COEFFICIENTS_H_
#define QUERN_COMPILER_BUILTINS_COEFFICIENTS_H_

namespace quern {

// R(z)/z where log((1+s)/(1-s)) = 2s + s R(z), z = s^2, |s| <= 0.1716.
inline constexpr double kLogFloat[] = {0x1.55557ap-1, 0x1.995eacp-2,
                                       0x1.31e486p-2};
inline constexpr double kLogDouble[] = {
    0x1.5555555555593p-1, 0x1.999999997fca0p-2, 0x1.2492494201d40p-2,
    0x1.c71c51fadf3bbp-3, 0x1.7466420fd6286p-3, 0x1.39a164e1d63f1p-3,
    0x1.2f08ef876c6b4p-3};

// (sin r - r)/r^3 in r^2, |r| <= pi/4.
inline constexpr double kSinFloat[] = {-0x1.555546p-3, 0x1.11072ep-7,
                                       -0x1.993d72p-13};
inline constexpr double kSinDouble[] = {
    -0x1.5555555555548p-3, 0x1.111111110f741p-7,   -0x1.a01a019be8a28p-13,
    0x1.71de3552d6905p-19, -0x1.ae5e486553551p-26, 0x1.5d8a198594b49p-33};

// (cos r - 1 + r^2/2)/r^4 in r^2, |r| <= pi/4.
inline constexpr double kCosFloat[] = {0x1.55554ap-5, -0x1.6c0c58p-10,
                                       0x1.99f2dep-16};
inline constexpr double kCosDouble[] = {
    0x1.555555555554bp-5,   -0x1.6c16c16c1502ap-10, 0x1.a01a019c8f1e2p-16,
    -0x1.27e4f7eff3485p-22, 0x1.1ee9d9a172effp-29,  -0x1.8fa4d9aae6f45p-37};

// (asin x - x)/x^3 in x^2, |x| <= 1/2.
inline constexpr double kAsinFloat[] = {0x1.55554cp-3, 0x1.333892p-4,
                                        0x1.6cabb6p-5, 0x1.04aafap-5,
                                        0x1.d7a858p-7, 0x1.33d6fcp-5};
inline constexpr double kAsinDouble[] = {
    0x1.5555555555578p-3, 0x1.333333332df06p-4, 0x1.6db6db722bf61p-5,
    0x1.f1c71a8b7120bp-6, 0x1.6e8bdfea93698p-6, 0x1.1c49ddc494b2ep-6,
    0x1.ca21493e703fcp-7, 0x1.75776999ed63ep-7, 0x1.618b6ae0add32p-7,
    0x1.e151fc6baa373p-9, 0x1.65048859eaa6bp-6, -0x1.59f9bbe33fae8p-6,
    0x1.0be54f6cd1e95p-5};

// (atan x - x)/x^3 in x^2, |x| <= 1.
inline constexpr double kAtanFloat[] = {
    -0x1.555540p-2, 0x1.999276p-3,  -0x1.2426f8p-3,
    0x1.c0d282p-4,  -0x1.58dc60p-4, 0x1.dd0e7ap-5,
    -0x1.01af22p-5, 0x1.6a8ea6p-7,  -0x1.defd06p-10};
inline constexpr double kAtanDouble[] = {
    -0x1.555555555552ap-2,  0x1.9999999995ae3p-3,  -0x1.2492492392296p-3,
    0x1.c71c7184244bap-4,   -0x1.745d11fafbe99p-4, 0x1.3b136a155df8bp-4,
    -0x1.110e6d84b48c7p-4,  0x1.e1bcf7193c78dp-5,  -0x1.ae644aac6b28bp-5,
    0x1.82eea6e610008p-5,   -0x1.59d7dd8308fc3p-5, 0x1.2c97f313326f5p-5,
    -0x1.eb48b7be38a53p-6,  0x1.69d7f528843b5p-6,  -0x1.ca96a96a6adbdp-7,
    0x1.dc0334d16de58p-8,   -0x1.7ea52dd190b21p-9, 0x1.ba3b18d8fccf2p-11,
    -0x1.44a28a07c3d54p-13, 0x1.c4a0f1f44b37ep-17};

// erf(x)/x - 1 in x^2, |x| <= 1.
inline constexpr double kErfSmallFloat[] = {
    0x1.06eba8p-3, -0x1.81273ep-2,  0x1.ce2cf4p-4, -0x1.b7f8dcp-6,
    0x1.540414p-8, -0x1.a3ea8cp-11, 0x1.494662p-14};
inline constexpr double kErfSmallDouble[] = {
    0x1.06eba8214db69p-3,   -0x1.812746b0379e6p-2,  0x1.ce2f21a042b1ep-4,
    -0x1.b82ce312848fap-6,  0x1.565bcd0dae926p-8,   -0x1.c02db3d8a040ep-11,
    0x1.f9a321980a0e9p-14,  -0x1.f4d1de8517661p-17, 0x1.b9dee85012f01p-20,
    -0x1.5f1ce5ac1dbf5p-23, 0x1.f7a0935483b11p-27,  -0x1.385fb07693c56p-30,
    0x1.055b1162cc471p-34};

// log(erfc x), 1 <= x <= 4.05.
inline constexpr double kLogErfcFloat[] = {
    0x1.8a5586p-13, -0x1.212c0cp+0, -0x1.443568p-1, -0x1.bc150ep-4,
    0x1.9d02f0p-6,  -0x1.138ca0p-8, 0x1.cec5a8p-12, -0x1.6bd772p-16};

// exp(x^2) erfc(x) (1 + 2x) in (x - c)/(x + c) for 1/2 <= x: c = 2 (f32, up to
// 10.2) and 4 (f64, up to 27.5).
inline constexpr double kErfcxFloat[] = {
    0x1.46e80ep+0,   -0x1.7bf5eap-4,  -0x1.5407b8p-3, 0x1.4ff9d0p-3,
    -0x1.bc2dc4p-5,  -0x1.06fc4cp-7,  0x1.1e1606p-7,  0x1.402f92p-10,
    -0x1.843140p-10, -0x1.4dd734p-12, 0x1.e00314p-13};
inline constexpr double kErfcxDouble[] = {
    0x1.3ba5916e9fd7fp+0,  -0x1.1df1ad154a28ep-3,  0x1.f7f5df66fd551p-7,
    0x1.16ecefcfa5350p-4,  -0x1.9ddb23c3e7bcbp-4,  0x1.7fee004e13189p-4,
    -0x1.0fb06dfe6cf58p-4, 0x1.3079edf660799p-5,   -0x1.0962387d53046p-6,
    0x1.49c6729403951p-8,  -0x1.8d4aa1be56fb9p-11, -0x1.a1df336855315p-13,
    0x1.3be0db32198d0p-13, -0x1.9956fd972265ap-16, -0x1.78a487aa7cfd5p-17,
    0x1.7f09bf8cc55c4p-18, 0x1.41cdaa1a85d0cp-22,  -0x1.b8f213b439190p-21,
    0x1.1f58c06db4d5dp-24, 0x1.c1f5bb79e6160p-24,  -0x1.a28a971aedc2ap-27,
    -0x1.5dfa8dcb1f8c6p-27};

// lgamma(2 + e)/e in e, |e| <= 1/2: its Taylor series, (-1)^k (zeta(k) - 1)/k.
inline constexpr double kLgammaNearTwo[] = {
    0x1.b0ee6072093cep-2,   0x1.4a34cc4a60fa6p-2,   -0x1.13e001a557607p-4,
    0x1.51322ac7d8483p-6,   -0x1.e404fc218f5f2p-8,  0x1.7add6eadb6c30p-9,
    -0x1.38ac5c2bf8e08p-10, 0x1.0b36af86396e9p-11,  -0x1.d3fd4c76d2fc8p-13,
    0x1.a127b0f17d65ap-14,  -0x1.78de5bd7c81efp-15, 0x1.580dcee66eb02p-16,
    -0x1.3cbc963ce2243p-17, 0x1.2597a39f34aacp-18,  -0x1.11b2eb7679541p-19,
    0x1.0064cdeb22f0fp-20,  -0x1.e2600d93cfd2fp-22, 0x1.c76bbb3f07a4dp-23,
    -0x1.af5a6cbbf8a97p-24, 0x1.99b93c2070b0fp-25,  -0x1.862c734df3eacp-26,
    0x1.7469daccfadcdp-27,  -0x1.6434a8447aeadp-28, 0x1.555a877ffd2c3p-29,
    -0x1.47b1679258d0ep-30, 0x1.3b15d2b2fc10cp-31};

// Stirling's series: x (lgamma(x) - (x - 1/2) log x + x - log(2 pi)/2) in
// 1/x^2, x >= 8.5.
inline constexpr double kStirling[] = {1.0 / 12,    -1.0 / 360, 1.0 / 1260,
                                       -1.0 / 1680, 1.0 / 1188, -691.0 / 360360,
                                       1.0 / 156};

// x exp(x^2) erfc(x) in 1/x^2, x >= 27: the asymptotic series.
inline constexpr double kErfcxLarge[] = {
    0x1.20dd750429b6dp-1,  -0x1.20dd750429b6dp-2, 0x1.b14c2f863e924p-2,
    -0x1.0ecf9db3e71b6p+0, 0x1.d9eb53fad46ffp+1,  -0x1.0a945f3d177efp+4,
    0x1.6e8c02f4004e9p+6};

}  // namespace quern

#endif  // QUERN_COMPILER_BUILTINS_COEFFICIENTS_H_
