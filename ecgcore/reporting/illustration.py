"""All that is shown of a task's data and of a test, in the order in which it is read."""

from pathlib import Path

from ecgcore.data.manifest import read_manifest
from ecgcore.data.outer_parts import OuterPart
from ecgcore.data.store import record_names
from ecgcore.reporting.class_scores import class_section
from ecgcore.reporting.confusion import confusion_section
from ecgcore.reporting.coverage import coverage_section
from ecgcore.reporting.curves import curves_section
from ecgcore.reporting.decision_curves import decision_section
from ecgcore.reporting.error_strips import errors_section
from ecgcore.reporting.people import people_section
from ecgcore.reporting.records_flow import flow_section
from ecgcore.reporting.reliability_diagram import reliability_section
from ecgcore.reporting.section import Section
from ecgcore.reporting.seeds import seeds_section
from ecgcore.reporting.subgroups import subgroups_section
from ecgcore.reporting.tested_files import Tested, read_tested
from ecgcore.scores.class_intervals import resampled


def illustrate(store: Path, tested: Path | None, figures: Path, *, outer: OuterPart | None = None) -> list[Section]:
    """Return the sections; their figures lie in `figures`. Raises ValueError for files of the test that are damaged.

    store: a store's folder, which need not be there any more; tested: the folder that the test has written to, if any.
    """
    found = None if tested is None else read_tested(tested)
    return [*_of_data(store, found, figures, outer), *([] if found is None else _of_test(found, figures))]


def _of_data(store: Path, tested: Tested | None, figures: Path, outer: OuterPart | None) -> list[Section]:
    try:
        manifest, names = read_manifest(store), record_names(store)
        people = people_section(store, tested, records=names)
    except (ValueError, KeyError, OSError) as error:  # what the run found is shown all the same
        said = f"The recordings cannot be described, since their store is not as it was: {error}"
        return [Section(title="Recordings", about="data", paragraphs=(said,))]
    return [flow_section(manifest, tested, figures, outer=outer), people]


def _of_test(tested: Tested, figures: Path) -> list[Section]:
    if not tested.records:
        return [Section(title="Answers", about="test", paragraphs=("The test had no records.",))]
    weights = resampled(tested.patients)
    sections = [
        confusion_section(tested, figures),
        class_section(tested, weights),
        curves_section(tested, figures),
        reliability_section(tested, weights, figures),
        decision_section(tested, figures),
        subgroups_section(tested, figures),
        seeds_section(tested, weights),
        coverage_section(tested, figures),
        errors_section(tested, figures),
    ]
    return [section for section in sections if section is not None]
