"""The toolbar offers what there is, without taking it for a user's choice."""

from rsedu.widget.toolbar import Toolbar


def test_scores_are_offered_and_the_chosen_one_is_marked():
    bar = Toolbar(label="farm", opacity=0.3)
    heard = []
    bar.masks.observe(lambda change: heard.append((change["new"], bar.offering)), "index")
    bar.offer([], 0)
    assert (bar.masks.options, bar.masks.index) == (("1", "2", "3"), None)
    bar.offer([0.5, 0.914, 0.2], 1)
    assert bar.masks.options == ("1: 0.50", "2: 0.91", "3: 0.20")
    assert bar.masks.index == 1
    bar.offer([0.5, 0.914, 0.2], 2)
    assert bar.masks.index == 2
    assert all(offering for _, offering in heard)
    assert not bar.offering
    bar.masks.index = 0
    assert heard[-1] == (0, False)


def test_the_fields_start_as_told():
    bar = Toolbar(label="farm", opacity=0.3)
    assert (bar.label.value, bar.opacity.value, bar.sign.index) == ("farm", 0.3, 0)
    assert all(len(row.children) > 2 for row in bar.rows)
