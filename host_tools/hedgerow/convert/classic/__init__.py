"""Classical models of scikit-learn, XGBoost and LightGBM to .hgl files; README.md says which."""

from hedgerow.convert.classic.estimators import convert_estimator as convert_estimator
from hedgerow.convert.classic.files import convert_classic_file as convert_classic_file
from hedgerow.convert.classic.files import is_classic as is_classic
