import math


def run():
    bodies = [([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 39.47),
              ([4.84, -1.16, -0.10], [0.6, 2.81, -0.02], 0.0377),
              ([8.34, 4.12, -0.4], [-1.01, 1.82, 0.008], 0.0113),
              ([12.89, -15.11, -0.22], [1.08, 0.87, -0.01], 0.0017),
              ([15.38, -25.92, 0.18], [0.98, 0.59, -0.03], 0.002)]
    pairs = [(bodies[i], bodies[j]) for i in range(5) for j in range(i + 1, 5)]
    dt = 0.001
    for _ in range(4000):
        for (p1, v1, m1), (p2, v2, m2) in pairs:
            dx = p1[0] - p2[0]
            dy = p1[1] - p2[1]
            dz = p1[2] - p2[2]
            d = dx * dx + dy * dy + dz * dz
            mag = dt / (d * math.sqrt(d))
            b1 = m1 * mag
            b2 = m2 * mag
            v1[0] -= dx * b2
            v1[1] -= dy * b2
            v1[2] -= dz * b2
            v2[0] += dx * b1
            v2[1] += dy * b1
            v2[2] += dz * b1
        for p, v, m in bodies:
            p[0] += dt * v[0]
            p[1] += dt * v[1]
            p[2] += dt * v[2]
    return bodies[0][0]
