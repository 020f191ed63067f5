"""Models on devices.

Decision: OpenVINO's telemetry is made impossible to import, here, before anything here imports OpenVINO. Context: each
import of OpenVINO and each conversion is told to Google Analytics, under an identity kept in the user's home, unless a
file there says no; nobody who runs a server of their own expects that. Choice: OpenVINO's own stand-in, which it takes
where the package is missing. Price: one line that works at import.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # None is how an import is forbidden
