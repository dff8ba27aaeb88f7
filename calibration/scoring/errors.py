"""What can be wrong with a scale, a form or responses to be scored."""


class ScaleError(ValueError):
    """Parameters, marks or responses on which scores, a cut or a percentage have no meaning."""
