def solve(n, row, columns, left, right):
    if row == n:
        return 1
    count = 0
    for c in range(n):
        if c not in columns and row + c not in left and row - c not in right:
            count += solve(n, row + 1, columns | {c}, left | {row + c}, right | {row - c})
    return count


def run():
    return solve(8, 0, frozenset(), frozenset(), frozenset())
