"""The stages of the pipeline, in the order of dvc.yaml. Only they read and write its files."""
