"""Classical models of scikit-learn, XGBoost and LightGBM to .hgl files; README.md says which."""

from hedgerow.convert.classic.estimators import convert_estimator as convert_estimator
