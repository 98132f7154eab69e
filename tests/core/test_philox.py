"""The generator: published vectors, a plain Python twin, and the layout of its counters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_testing import testing
from reference import group_words, philox

word_32 = st.integers(0, 2**32 - 1)
word_64 = st.integers(0, 2**64 - 1)

# Known answers of the authors' Random123 library (kat_vectors, philox4x32 with 10 rounds):
# counter, key, output.
PUBLISHED = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "output"), PUBLISHED)
@pytest.mark.parametrize("generator", [testing.philox, philox], ids=["core", "reference"])
def test_published_vectors(generator, counter, key, output):
    assert list(generator(counter, key)) == output


@given(st.lists(word_32, min_size=4, max_size=4), st.lists(word_32, min_size=2, max_size=2))
def test_agrees_with_plain_python_anywhere(counter, key):
    assert list(testing.philox(counter, key)) == philox(counter, key)


@given(
    seed=word_64,
    purpose=st.sampled_from([testing.Purpose.equilibrium, testing.Purpose.hold]),
    group=st.integers(0, 2**29 - 1),
    element=st.integers(0, 2**28 - 1),
    step=word_64,
)
def test_normals_read_the_documented_counters(seed, purpose, group, element, step):
    radius, angle = group_words(seed, int(purpose), group, element, step)
    normals = testing.normals(seed, purpose, group, element, step)
    assert normals.tolist() == testing.transform(radius, angle).tolist()


def test_purposes_keep_their_numbers():
    """A saved run resumes with the same bits in every later version only if they do."""
    assert {name: int(value) for name, value in testing.Purpose.__members__.items()} == {
        "equilibrium": 0,
        "hold": 1,
        "heat_bath": 2,
        "cluster": 3,
        "unit": 4,
        "signs": 5,
        "mode": 6,
    }


@pytest.mark.parametrize(("group", "element"), [(2**29, 0), (0, 2**28)])
def test_addresses_beyond_their_bits_are_refused(group, element):
    """They would read the words of another address."""
    with pytest.raises(ValueError, match="group must be below 2\\^29 and element below 2\\^28"):
        testing.normals(1, testing.Purpose.hold, group, element, 0)


@pytest.mark.parametrize(
    ("counter", "key"), [([2**32, 0, 0, 0], [0, 0]), ([0] * 3, [0, 0]), ([0] * 4, [-1, 0])]
)
def test_words_are_four_and_two_of_32_bits(counter, key):
    with pytest.raises(TypeError):
        testing.philox(counter, key)
