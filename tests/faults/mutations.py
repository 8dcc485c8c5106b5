"""What makes a right file a wrong one: values, lines and bytes that nobody expects, in places that are drawn."""

from collections.abc import Callable, Iterator

from hypothesis import strategies as st

Mutation = Callable[[bytes], bytes]

VALUES = [
    "", "null", "[]", "{}", "[[]]", "{a: {}}", "-1", "0", "1.5", "1e999", "1e300", "-1e-300", ".nan", "1" + "0" * 400,
    "99999999999999999999", "no", "true", "'\\0'", '"\\0"', '"a\\nb"', "&a [*a]", "!!python/name:os.system", "../../x",
    "/etc/passwd", "/dev/zero", "nan", "x" * 3000, "\t", "é\u2028", "\ud7ff", "*nobody", "? [a]", "- -", "<<: {}", "%",
    "a: b: c", "'", "|", "models:/../x", "2030-01-01", "0x1F", "1_000", "[1, 1]", "{choice: []}", "{uniform: [1, 0]}",
    "{integer: [0, 9999999999]}", "{log_uniform: [0, 1]}", "{grid: [1, 1]}", "{median: {}}", '"a"b', '"',
]  # fmt: skip


def replaced_value(value: str, place: float) -> Mutation:
    """Put a value in place of what follows one of the colons or commas."""

    def mutate(content: bytes) -> bytes:
        ends = [n for n, byte in enumerate(content) if byte in b":,\n"]
        begin = ends[int(place * len(ends))] if ends else 0
        end = next((n for n in range(begin + 1, len(content)) if content[n] in b",}]\n"), len(content))
        blank = b" " if content[begin : begin + 1] == b":" else b""  # YAML wants one, and in a CSV it would be quoted
        return content[: begin + 1] + blank + value.encode() + content[end:]

    return mutate


def without_line(place: float) -> Mutation:
    def mutate(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        return b"".join(line for n, line in enumerate(lines) if n != int(place * len(lines)))

    return mutate


def line_twice(place: float) -> Mutation:
    def mutate(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        return b"".join(line * (1 + (n == int(place * len(lines)))) for n, line in enumerate(lines))

    return mutate


def cut(place: float) -> Mutation:
    return lambda content: content[: int(place * len(content))]


def with_bytes(place: float, new: bytes) -> Mutation:
    return lambda content: content[: int(place * len(content))] + new + content[int(place * len(content)) + len(new) :]


def sweep(content: bytes, places: int) -> Iterator[bytes]:
    """Yield the content with each of VALUES in several places, which differ from value to value."""
    for number, value in enumerate(VALUES):
        for again in range(places):
            yield replaced_value(value, (number * 0.382 + again * 0.618) % 1)(content)


PLACE = st.floats(0, 0.999)
MUTATIONS = st.lists(
    st.one_of(
        st.builds(replaced_value, st.sampled_from(VALUES), PLACE),
        st.builds(replaced_value, st.sampled_from(VALUES), PLACE),
        st.builds(without_line, PLACE),
        st.builds(line_twice, PLACE),
        st.builds(cut, PLACE),
        st.builds(with_bytes, PLACE, st.binary(min_size=1, max_size=4)),
    ),
    min_size=1,
    max_size=3,
)


def mutated(content: bytes, mutations: list[Mutation]) -> bytes:
    for mutate in mutations:
        content = mutate(content)
    return content
