"""The page: Gradio for the desk, small ES modules (assets/js) for the stage and the gallery."""
