class Node:
    def __init__(self, left, right):
        self.left = left
        self.right = right


def tree(depth):
    return Node(tree(depth - 1), tree(depth - 1)) if depth else Node(None, None)


def count(node):
    return 1 + count(node.left) + count(node.right) if node.left else 1


def run():
    return count(tree(15))
