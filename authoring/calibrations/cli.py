"""`tiku params`: calibration's formats of parameters, and QTI usage data beside them."""

from __future__ import annotations

from authoring.calibrations.usage_data import USAGE_DATA
from calibration import FORMATS, params_group

params = params_group({**FORMATS, "qti": USAGE_DATA})
