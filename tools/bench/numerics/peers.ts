/**
 * What laplace-torch 0.2.3 needs for the same work: LeNet-5 with 61,706 weights, inputs of the shape of MNIST's, ten classes, exact GGN; two cores with
 * AVX-512 (sgemm 185 GFLOP/s). Quoted from the project's design notes (numerics, "Speed: what exists and what to reach"), not measured here.
 */
export const PEERS: { readonly accumulate: Readonly<Record<number, string>>; readonly predict100: Readonly<Record<number, string>> } = {
  accumulate: { 1000: '336 examples/s (BackPACK), 26 (default backend)', 4000: '193 examples/s (BackPACK)' },
  predict100: { 1000: '250 ms (BackPACK), 21 s (default backend)', 4000: '1.1 s (BackPACK)' },
};
