"""What nbgrader needs to know here: copy this file into the folder of your course.

    mkdir -p course/source/lesson00
    cp notebooks/nbgrader_config.py course
    cp notebooks/00_functional_api.ipynb course/source/lesson00
    cd course && nbgrader generate_assignment lesson00     # course/release/lesson00: the student's

The stored notebooks fold their solutions away, and nbgrader keeps them folded when it has emptied
them. Here it drops all other metadata of a code cell, so that answer cells are open.
"""

import os

c = get_config()  # noqa: F821, nbgrader provides it
c.CourseDirectory.root = os.path.abspath(os.curdir)  # autograde wants it absolute
c.Execute.timeout = 300  # seconds a cell may take when a submission is graded

c.GenerateAssignment.preprocessors.append("nbconvert.preprocessors.ClearMetadataPreprocessor")
c.ClearMetadataPreprocessor.enabled = True
c.ClearMetadataPreprocessor.preserve_cell_metadata_mask = {"nbgrader", "tags"}
c.ClearMetadataPreprocessor.clear_notebook_metadata = False
