"""The alternating loop, with a coder and an update that only count."""

from dataclasses import dataclass

import pytest

from sklearn_resnet_sc.learning._driver import alternate


@dataclass
class Coded:
    objective: float
    error: float = 0.0
    n_nonzero: float = 0.0


def run(objectives, *, max_iter=100, tol=0.0, fail_at=None, in_update=False, **options):
    """The dictionary is the number of updates; its objective is the number given."""

    def code(dictionary):
        if dictionary == fail_at and not in_update:
            raise KeyboardInterrupt
        value = objectives[min(dictionary, len(objectives) - 1)]
        return Coded(objective=value, error=2 * value, n_nonzero=dictionary)

    def update(dictionary, coded):
        if dictionary == fail_at and in_update:
            raise KeyboardInterrupt
        return dictionary + 1

    return alternate(0, code, update, max_iter=max_iter, tol=tol, **options)


def test_the_best_dictionary_is_kept_not_the_last():
    course = run([9.0, 3.0, 5.0, 4.0], max_iter=3)
    assert course.best == 1
    assert course.objective == [9.0, 3.0, 5.0, 4.0]
    assert course.error == [18.0, 6.0, 10.0, 8.0]
    assert course.n_nonzero == [0, 1, 2, 3]
    assert (course.n_iter, course.stop_reason) == (3, "max_iter")


def test_of_equals_the_first_is_kept():
    assert run([5.0, 5.0], max_iter=2).best == 0


@pytest.mark.parametrize(
    ("tol", "n_iter"),
    # From 8 on nothing is gained; with tol=0.5 a gain from 16 to 8 in three updates is too little.
    [(0.0, 6), (0.5, 5)],
)
def test_stops_where_three_updates_gain_less_than_tol_each(tol, n_iter):
    course = run([1024.0, 256.0, 16.0, 8.0, 8.0, 8.0, 8.0, 8.0], tol=tol)
    assert (course.n_iter, course.stop_reason) == (n_iter, "tol")


def test_a_rise_does_not_look_like_convergence_until_three_updates_passed():
    course = run([9.0, 4.0, 6.0, 2.0, 2.0, 2.0, 2.0, 1.0])
    assert course.n_iter == 6


def test_a_perfect_start_needs_no_update():
    course = run([0.0])
    assert (course.n_iter, course.stop_reason, course.best) == (0, "tol", 0)


@pytest.mark.parametrize("in_update", [True, False])
def test_an_interrupt_keeps_what_was_learned(in_update):
    course = run([9.0, 3.0, 5.0, 1.0], fail_at=3, in_update=in_update)
    assert course.stop_reason == "interrupted"
    assert isinstance(course.interrupt, KeyboardInterrupt)
    assert course.n_iter == 3
    assert course.best == (3 if in_update else 1)


def test_an_interrupt_of_the_first_coding_keeps_the_start():
    course = run([9.0], fail_at=0)
    assert (course.best, course.error, course.n_iter) == (0, [], 0)


def test_other_failures_are_not_caught():
    def code(dictionary):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        alternate(0, code, None, max_iter=3, tol=0.0)


def test_the_callback_hears_of_every_update():
    heard = []
    run(
        [9.0, 3.0, 5.0],
        max_iter=2,
        callback=lambda state: heard.append(
            (state["iteration"], state["dictionary"], state["coded"].objective, *state["error"])
        ),
    )
    assert heard == [(1, 1, 3.0, 18.0, 6.0), (2, 2, 5.0, 18.0, 6.0, 10.0)]


def test_progress_is_shown_only_where_asked_for(capsys):
    run([9.0, 3.0], max_iter=2)
    assert capsys.readouterr().err == ""
    run([9.0, 3.0], max_iter=2, verbose=1)
    assert "learning" in capsys.readouterr().err
