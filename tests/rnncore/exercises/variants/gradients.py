"""Correct variants for lesson 04."""

import math

import numpy as np

from rnncore.cells.rnn import rnn_cell_backward
from tests.rnncore.exercises.variants import answers


@answers("gradient_norms")
def inserts_in_front(p, dy, caches):
    norms, carry = [], 0.0
    for t in range(dy.shape[1] - 1, -1, -1):
        dh = dy[:, t] + carry
        norms.insert(0, np.linalg.norm(dh))
        _, carry, _ = rnn_cell_backward(p, dh, caches[t])
    return np.array(norms)


@answers("gradient_norms")
def appends_and_turns_round(p, dy, caches):
    norms, carry = [], np.zeros(dy[:, 0].shape)
    for dy_t, cache in zip(dy.transpose(1, 0, 2)[::-1], reversed(caches), strict=True):
        dh = carry + dy_t
        norms.append(float((dh * dh).sum()) ** 0.5)
        carry = rnn_cell_backward(p, dh, cache)[1]
    return norms[::-1]


@answers("gradient_norms")
def collects_all_gradients_first(p, dy, caches):
    dh = dy.copy()
    for t in range(len(caches) - 1, 0, -1):
        dh[:, t - 1] += rnn_cell_backward(p, dh[:, t], caches[t])[1]
    return np.sqrt(np.einsum("bth,bth->t", dh, dh))


@answers("gradient_norms")
def cell_written_out(p, dy, caches):
    B, T, H = dy.shape
    norms, carry = np.empty(T), np.zeros((B, H))
    for t in reversed(range(T)):
        dh = dy[:, t] + carry
        norms[t] = math.sqrt(np.vdot(dh, dh))
        carry = (dh * (1 - caches[t][2] ** 2)) @ p["weight_hh"]
    return norms


@answers("gradient_norms")
def one_example_at_a_time(p, dy, caches):
    squares = np.zeros(dy.shape[1])
    for b in range(len(dy)):
        carry = np.zeros(dy.shape[2])
        for t in reversed(range(dy.shape[1])):
            dh = dy[b, t] + carry
            squares[t] += dh @ dh
            carry = p["weight_hh"].T @ (dh * (1 - caches[t][2][b] ** 2))
    return np.sqrt(squares)


@answers("gradient_norms")
def single_precision(p, dy, caches):
    p = {name: value.astype(np.float32) for name, value in p.items()}
    norms, carry = np.zeros(dy.shape[1], dtype=np.float32), np.float32(0)
    for t in range(dy.shape[1])[::-1]:
        dh = dy[:, t].astype(np.float32) + carry
        norms[t] = np.linalg.norm(dh.ravel())
        carry = rnn_cell_backward(p, dh, tuple(item.astype(np.float32) for item in caches[t]))[1]
    return norms


@answers("spectral_radius")
def python_loop(W):
    largest = 0.0
    for eigenvalue in np.linalg.eigvals(W):
        largest = max(largest, abs(eigenvalue))
    return largest


@answers("spectral_radius")
def eig_with_vectors(W):
    values, _vectors = np.linalg.eig(W)
    return np.max(np.abs(values))


@answers("spectral_radius")
def real_and_imaginary_part(W):
    values = np.linalg.eigvals(W.T)
    return np.sqrt((values.real**2 + values.imag**2).max())


@answers("spectral_radius")
def sorted_by_size(W):
    return sorted(np.linalg.eigvals(W), key=abs)[-1].__abs__()


@answers("spectral_radius")
def growth_of_high_powers(W):
    power, log_scale, k = W.copy(), 0.0, 1
    for _ in range(40):
        size = np.linalg.norm(power)
        power = power / size
        power, log_scale, k = power @ power, 2 * (log_scale + np.log(size)), 2 * k
    return np.exp((log_scale + np.log(np.linalg.norm(power))) / k)


@answers("spectral_radius")
def roots_of_the_characteristic_polynomial(W):
    return np.abs(np.roots(np.poly(W))).max()


@answers("spectral_radius")
def from_a_matrix_of_complex_numbers(W):
    return np.array(abs(np.linalg.eigvals(W.astype(complex))).max())


@answers("clip_grad_norm")
def one_long_vector(grads, max_norm):
    norm = np.linalg.norm(np.concatenate([grad.ravel() for grad in grads.values()]))
    factor = max_norm / norm if norm > max_norm else 1.0
    return {name: factor * grad for name, grad in grads.items()}, norm


@answers("clip_grad_norm")
def as_torch_does_it(grads, max_norm):
    norm = np.sqrt(sum(np.linalg.norm(grad) ** 2 for grad in grads.values()))
    factor = min(1.0, max_norm / (norm + 1e-6))
    return {name: grad * factor for name, grad in grads.items()}, norm


@answers("clip_grad_norm")
def loops_over_numbers(grads, max_norm):
    total = 0.0
    for grad in grads.values():
        for number in grad.flat:
            total += number * number
    norm, clipped = math.sqrt(total), {}
    for name in grads:
        clipped[name] = grads[name].copy()
        if norm > max_norm:
            clipped[name] *= max_norm / norm
    return clipped, norm


@answers("clip_grad_norm")
def divides_by_the_larger(grads, max_norm):
    norm = math.hypot(*(float(np.linalg.norm(grad)) for grad in grads.values()))
    return {name: grad * max_norm / max(norm, max_norm) for name, grad in grads.items()}, norm


@answers("clip_grad_norm")
def same_dict_where_nothing_is_clipped(grads, max_norm):
    norm = sum((grad**2).sum() for grad in grads.values()) ** 0.5
    if norm <= max_norm:
        return grads, norm
    return {name: grads[name] / (norm / max_norm) for name in reversed(list(grads))}, norm


@answers("clip_grad_norm")
def single_precision_inside(grads, max_norm):
    small = {name: grad.astype(np.float32) for name, grad in grads.items()}
    norm = np.sqrt(sum(np.vdot(grad, grad) for grad in small.values()))
    factor = np.float32(1 if norm <= max_norm else max_norm / norm)
    return {name: grad * factor for name, grad in small.items()}, norm


@answers("orthogonal")
def qr_without_the_sign_correction(rng, n):
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


@answers("orthogonal")
def singular_vectors(rng, n):
    U, _, Vt = np.linalg.svd(rng.normal(size=(n, n)))
    return U @ Vt


@answers("orthogonal")
def gram_schmidt(rng, n):
    columns = []
    while len(columns) < n:
        column = rng.normal(size=n)
        for _ in range(2):  # once more, against rounding
            for other in columns:
                column = column - (other @ column) * other
        columns.append(column / np.linalg.norm(column))
    return np.array(columns).T


@answers("orthogonal")
def eigenvectors_of_a_symmetric_matrix(rng, n):
    A = rng.normal(size=(n, n))
    return np.linalg.eigh(A + A.T)[1]


@answers("orthogonal")
def householder_reflections(rng, n):
    Q = np.diag(rng.choice([-1.0, 1.0], n))
    for k in range(n - 1):
        v = np.concatenate([np.zeros(k), rng.normal(size=n - k)])
        Q = Q - 2 * np.outer(v, v @ Q) / (v @ v)
    return Q


@answers("orthogonal")
def cayley_transform(rng, n):
    A = rng.normal(size=(n, n))
    S, identity = A - A.T, np.eye(n)
    return np.linalg.solve(identity + S, identity - S)


@answers("orthogonal")
def single_precision_as_a_list(rng, n):
    Q, R = np.linalg.qr(rng.normal(size=(n, n)).astype(np.float32))
    return (Q * np.sign(R.diagonal())).tolist()
