from {{cookiecutter.project_slug}} import checks


def test_there_are_seven_checks_in_each_of_four_sections():
    sections = [check.section for check in checks.CHECKS]
    assert [sections.count(section) for section in checks.SECTIONS] == [7] * 4
    assert len({check.name for check in checks.CHECKS}) == 28


def test_a_check_that_is_not_proven_in_full_says_what_is_missing():
    for check in checks.CHECKS:
        assert check.later or (check.proofs and check.points == 1.0), check.name
