import inspect

import pytest

from rsedu import errors

OWN = [value for _, value in inspect.getmembers(errors, inspect.isclass)]


def test_every_error_is_caught_by_the_base_class() -> None:
    assert all(issubclass(error, errors.RseduError) for error in OWN)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.InputError, ValueError),
        (errors.MissingDataError, FileNotFoundError),
        (errors.BrokenDataError, OSError),
        (errors.MissingExtraError, ImportError),
    ],
)
def test_an_error_is_also_the_builtin_that_python_people_expect(
    error: type[Exception], builtin: type[Exception]
) -> None:
    with pytest.raises(builtin, match="what to do"):
        raise error("what came, what was wanted, what to do")


def test_every_error_but_the_base_is_also_a_builtin() -> None:
    for error in OWN:
        if error is not errors.RseduError:
            assert len(error.__bases__) == 2, error
